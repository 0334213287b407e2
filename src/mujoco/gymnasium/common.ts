import type { Rng } from '../../rng/rng.js';
import type { MujocoModel, Simulation } from '../simulation.js';
import { withDefaults } from '../task.js';

/** v4 and v5 of a task differ in details that change learning curves; each task's file lists them. */
export type GymnasiumVersion = 4 | 5;

/** Options that every v5 task has beside its own. */
export interface GymnasiumOptions {
  /** Physics steps per control step. */
  frameSkip: number;
  /** Another model in place of the task's own (Gymnasium's `xml_file`). */
  model: MujocoModel | undefined;
}

/** The version's options over the defaults. v4 never lets `frameSkip` and `model` be chosen. */
export function readOptions<T extends GymnasiumOptions>(
  name: string,
  version: GymnasiumVersion,
  defaults: T,
  given: Partial<T>,
  v5Only: readonly (keyof T)[] = [],
): T {
  if (version === 5) return withDefaults(`${name}-v5`, defaults, given);
  const fixed: readonly string[] = ['frameSkip', 'model', ...(v5Only as string[])];
  const open = Object.fromEntries(Object.entries(defaults).filter(([option]) => !fixed.includes(option)));
  return { ...defaults, ...withDefaults(`${name}-v4`, open, given) };
}

/** Start noise: uniform in [-scale, scale] on positions and velocities. */
export function uniformNoise(scale: number) {
  return ({ qpos, qvel }: Simulation, rng: Rng): void => {
    for (let i = 0; i < qpos.length; i++) qpos[i]! += rng.uniform(-scale, scale);
    for (let i = 0; i < qvel.length; i++) qvel[i]! += rng.uniform(-scale, scale);
  };
}

/** Start noise: uniform in [-scale, scale] on positions, normal with that standard deviation on velocities. */
export function mixedNoise(scale: number) {
  return ({ qpos, qvel }: Simulation, rng: Rng): void => {
    for (let i = 0; i < qpos.length; i++) qpos[i]! += rng.uniform(-scale, scale);
    for (let i = 0; i < qvel.length; i++) qvel[i]! += rng.normal(0, scale);
  };
}

export function sumOfSquares(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) ** 2;
  return sum;
}

export function clipped(values: Float64Array, low: number, high: number): Float64Array {
  return values.map((value) => Math.min(Math.max(value, low), high));
}

/** Whether `value` lies strictly inside `range`. */
export function isInside(value: number, [low, high]: readonly [number, number]): boolean {
  return low < value && value < high;
}
