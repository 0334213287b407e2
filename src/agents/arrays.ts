import type { StateArray } from '../state.js';

/** Rows of `width` numbers as a program's input `[rows, width]`. */
export function matrix(data: Float32Array, width: number): StateArray {
  return { data, shape: [data.length / width, width] };
}

/** Numbers as a program's input `[length]`. */
export function vector(data: Float32Array): StateArray {
  return { data, shape: [data.length] };
}

/** The chosen rows of `values`, each of `width` numbers. */
export function pick(values: ArrayLike<number>, rows: ArrayLike<number>, width = 1): Float32Array {
  const picked = new Float32Array(rows.length * width);
  for (let row = 0; row < rows.length; row++) {
    for (let i = 0; i < width; i++) picked[row * width + i] = values[(rows[row] as number) * width + i] as number;
  }
  return picked;
}
