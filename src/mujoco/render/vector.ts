/**
 * A point or a direction in the world, m.
 *
 * @inline
 */
export type Vector = readonly [x: number, y: number, z: number];

export const add = (a: Vector, b: Vector): Vector => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const subtract = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scaled = (a: Vector, factor: number): Vector => [a[0] * factor, a[1] * factor, a[2] * factor];
export const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const normalised = (a: Vector): Vector => scaled(a, 1 / Math.hypot(...a));

/** `point` moved by `distance` m along `axis`. */
export const along = (point: Vector, axis: Vector, distance: number): Vector => add(point, scaled(axis, distance));

export const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** Entry `index` of an array of points. */
export function point(array: ArrayLike<number>, index: number): Vector {
  return [array[3 * index]!, array[3 * index + 1]!, array[3 * index + 2]!];
}

/** Column `axis` of matrix `index` in an array of 3 x 3 matrices by rows: a frame's axis in the world. */
export function frameAxis(array: ArrayLike<number>, index: number, axis: number): Vector {
  const at = 9 * index + axis;
  return [array[at]!, array[at + 3]!, array[at + 6]!];
}
