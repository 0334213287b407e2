import { ArgumentError, show } from '../errors.js';
import type { Box } from './box.js';

/** The affine map between policy actions in [-1, 1] and a bounded action space. */
export class ActionScale {
  private readonly centre: Float64Array;
  private readonly half: Float64Array;

  /** @throws ArgumentError for another kind of space, an infinite bound or an empty range */
  constructor(private readonly space: Box) {
    if (space?.kind !== 'box') {
      throw new ArgumentError(
        `ActionScale: the action space must be a Box, as actions are vectors of numbers here, got ${show(space)}.`,
      );
    }
    const { low, high } = space;
    const unbounded = Array.from(low.keys()).filter((i) => !Number.isFinite(low[i]) || !Number.isFinite(high[i]));
    if (unbounded.length) {
      throw new ArgumentError(
        `ActionScale: the action space must have finite bounds, but entries ${unbounded.join(', ')} of ${space.size} are ` +
          'unbounded; an actuator of a MuJoCo model is if it has no ctrlrange (give it one in the MJCF).',
      );
    }
    const empty = low.findIndex((value, i) => value === high[i]);
    if (empty >= 0) {
      throw new ArgumentError(
        `ActionScale: the action space must have low < high, but both are ${low[empty]} in entry ${empty}.`,
      );
    }
    this.centre = Float64Array.from(space.low, (low, i) => (low + (space.high[i] as number)) / 2);
    this.half = Float64Array.from(space.low, (low, i) => ((space.high[i] as number) - low) / 2);
  }

  /** Rows of policy actions, clipped to [-1, 1], in the space's units. */
  toSpace(actions: Float32Array): Float32Array {
    return actions.map((action, i) => this.centreOf(i) + this.halfOf(i) * Math.min(Math.max(action, -1), 1));
  }

  /** Rows of the space's actions as policy actions, clipped to [-1, 1]. */
  fromSpace(actions: Float32Array): Float32Array {
    return actions.map((action, i) => Math.min(Math.max((action - this.centreOf(i)) / this.halfOf(i), -1), 1));
  }

  private centreOf(i: number): number {
    return this.centre[i % this.space.size] as number;
  }

  private halfOf(i: number): number {
    return this.half[i % this.space.size] as number;
  }
}
