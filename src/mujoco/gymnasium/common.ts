import type { Rng } from '../../rng/rng.js';
import type { MujocoModel } from '../model.js';
import type { Simulation } from '../simulation.js';
import { withDefaults } from '../task.js';

/** v4 and v5 of a task differ in details that change learning curves; each task's file says which. */
export type GymnasiumVersion = 4 | 5;

/** Options that every v5 task has beside its own. */
export interface GymnasiumOptions {
  /** Physics steps per control step. */
  frameSkip: number;
  /** Another model in place of the task's own (Gymnasium's `xml_file`). */
  model: MujocoModel | undefined;
}

/** Options that a v4 task has: the common ones and those of `V5Only` are fixed there. */
export type V4Options<T, V5Only extends keyof T = never> = Partial<Omit<T, keyof GymnasiumOptions | V5Only>>;

/** `given` over `defaults`, as far as the version lets them be chosen. @throws ArgumentError for other names */
export function readOptions<T extends GymnasiumOptions>(
  name: string,
  version: GymnasiumVersion,
  defaults: T,
  given: Partial<T>,
  v5Only: readonly (keyof T)[] = [],
): T {
  if (version === 5) return withDefaults(`${name}-v5`, defaults, given);
  const fixed: readonly (keyof T)[] = ['frameSkip', 'model', ...v5Only];
  const open = Object.fromEntries(Object.entries(defaults).filter(([option]) => !fixed.includes(option as keyof T)));
  return { ...defaults, ...withDefaults(`${name}-v4`, open, given) };
}

/** Start noise: uniform in [-scale, scale] on positions and velocities. */
export function uniformNoise(scale: number) {
  return ({ qpos, qvel }: Simulation, rng: Rng): void => {
    addNoise(qpos, () => rng.uniform(-scale, scale));
    addNoise(qvel, () => rng.uniform(-scale, scale));
  };
}

/** Start noise: uniform in [-scale, scale] on positions, normal with that standard deviation on velocities. */
export function mixedNoise(scale: number) {
  return ({ qpos, qvel }: Simulation, rng: Rng): void => {
    addNoise(qpos, () => rng.uniform(-scale, scale));
    addNoise(qvel, () => rng.normal(0, scale));
  };
}

export function addNoise(values: Float64Array, draw: () => number): void {
  for (let i = 0; i < values.length; i++) values[i]! += draw();
}

/** Two draws from `draw`, repeated until the norm of the pair pleases `accept`. */
export function drawPair(draw: () => [number, number], accept: (norm: number) => boolean): [number, number] {
  let pair = draw();
  while (!accept(Math.hypot(...pair))) pair = draw();
  return pair;
}

export function sumOfSquares(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return sum;
}

export function clip(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

export function clipped(values: Float64Array, low: number, high: number): Float64Array {
  return values.map((value) => clip(value, low, high));
}

/** `a - b`, entry by entry. */
export function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]!);
}

export function distance(a: Float64Array, b: Float64Array): number {
  return Math.sqrt(sumOfSquares(difference(a, b)));
}

/** Whether `value` lies strictly inside `range`; NaN does not. */
export function isInside(value: number, [low, high]: readonly [number, number]): boolean {
  return low < value && value < high;
}
