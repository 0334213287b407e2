import type { Simulation } from '../simulation.js';
import type { Vector } from './vector.js';

/** A model at rest. */
export interface Bounds {
  /** Middle of a box around all geoms that are shown, planes aside, m. */
  readonly center: Vector;
  /** Half the box's sides, m. */
  readonly halfSize: Vector;
  /** Positions of the bodies, `[nbody * 3]`. */
  readonly bodies: Float64Array;
  /** Positions of the geoms, `[ngeom * 3]`. */
  readonly geoms: Float64Array;
}

/** Measures the model in its initial position; the present state is left alone. */
export function restBounds({ engine, model }: Simulation): Bounds {
  const data = new engine.MjData(model);
  try {
    engine.mj_kinematics(model, data);
    const radii: Float64Array = model.geom_rbound;
    const groups: Int32Array = model.geom_group;
    const low = [Infinity, Infinity, Infinity];
    const high = [-Infinity, -Infinity, -Infinity];
    radii.forEach((radius, geom) => {
      if (radius === 0 || groups[geom]! > 2) return; // a plane, or hidden
      for (let axis = 0; axis < 3; axis++) {
        const value: number = data.geom_xpos[3 * geom + axis];
        low[axis] = Math.min(low[axis]!, value - radius);
        high[axis] = Math.max(high[axis]!, value + radius);
      }
    });
    const isEmpty = low[0] === Infinity;
    const middle = (sign: 1 | -1) => low.map((value, i) => (isEmpty ? 0 : (high[i]! + sign * value) / 2));
    const [center, halfSize] = [middle(1), middle(-1)] as unknown as [Vector, Vector];
    return { center, halfSize, bodies: data.xpos.slice(), geoms: data.geom_xpos.slice() };
  } finally {
    data.delete();
  }
}
