import type { Simulation } from '../simulation.js';

/** Red, green, blue in [0, 1]. */
export type Color = readonly [red: number, green: number, blue: number];

/** A colour and how much of what lies behind it is hidden, in [0, 1]. */
export interface Paint {
  readonly color: Color;
  readonly opacity: number;
}

/** What MuJoCo gives geoms that were given no colour; they are painted by limb here. */
const UNPAINTED = [0.5, 0.5, 0.5, 1];

/** Colours of limbs in turn; the first is the trunk's. */
const LIMBS: readonly Color[] = ['#5b7fa6', '#e08e45', '#4f9d86', '#c9607a', '#8a74b8', '#b59a3f'].map(fromHex);
const SCENERY = fromHex('#9aa3ad');
const SITE = fromHex('#e2574c');

/** The colour of geom `id`: the model's, its material's, or that of the limb it belongs to. */
export function geomPaint({ model }: Simulation, id: number, limbs: Int32Array): Paint {
  const material: number = model.geom_matid[id];
  const rgba: number[] = Array.from(
    material < 0
      ? model.geom_rgba.subarray(4 * id, 4 * id + 4)
      : model.mat_rgba.subarray(4 * material, 4 * material + 4),
  );
  if (rgba.some((value, i) => value !== UNPAINTED[i])) return { color: toColor(rgba), opacity: rgba[3]! };
  const limb = limbs[model.geom_bodyid[id]]!;
  return { color: limb < 0 ? SCENERY : LIMBS[limb % LIMBS.length]!, opacity: 1 };
}

/** The colour of site `id`; one that was given none is a red that lets things shine through. */
export function sitePaint({ model }: Simulation, id: number): Paint {
  const rgba: number[] = Array.from(model.site_rgba.subarray(4 * id, 4 * id + 4));
  const isPainted = rgba.some((value, i) => value !== UNPAINTED[i]);
  return isPainted ? { color: toColor(rgba), opacity: rgba[3]! } : { color: SITE, opacity: 0.6 };
}

/**
 * A number for each body, the same along a chain of joints and another one for each branch; -1 for what cannot move.
 * Bodies without a joint of their own count as one with what carries them.
 */
export function limbsOf({ model }: Simulation): Int32Array {
  const parents: Int32Array = model.body_parentid;
  const carriers: Int32Array = model.body_weldid; // the body itself, if it has joints
  const branches = new Int32Array(model.nbody);
  for (let body = 1; body < branches.length; body++) {
    if (carriers[body] === body) branches[carriers[parents[body]!]!]!++;
  }
  const limbs = new Int32Array(model.nbody).fill(-1);
  let next = 0;
  for (let body = 1; body < limbs.length; body++) {
    const carrier = carriers[body]!;
    const parent = carriers[parents[body]!]!;
    if (carrier !== body) limbs[body] = limbs[carrier]!;
    else limbs[body] = parent > 0 && branches[parent] === 1 ? limbs[parent]! : next++;
  }
  return limbs;
}

/** `color` times `light`. */
export function shaded(color: Color, light: number): Color {
  return color.map((value) => Math.min(value * light, 1)) as unknown as Color;
}

export function toHex(color: Color): string {
  return `#${color
    .map((value) =>
      Math.round(255 * value)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}

function fromHex(hex: string): Color {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as unknown as Color;
}

function toColor(rgba: readonly number[]): Color {
  return rgba.slice(0, 3).map((value) => Math.min(Math.max(value, 0), 1)) as unknown as Color;
}
