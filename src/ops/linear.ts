import * as tf from '@tensorflow/tfjs-core';
import { split } from './pieces.js';

/** `x kernel + bias`: `[B, I]`, `[I, O]`, `[O]` to `[B, O]`. */
export function linear(x: tf.Tensor2D, kernel: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor2D {
  const product: tf.Tensor2D = tf.matMul(x, kernel);
  return bias ? tf.add(product, bias) : product;
}

/** Rows of `table` `[N, F]` picked by `index` `[B]`; a matrix product, so that its gradient exists on every backend. */
export function lookup(table: tf.Tensor2D, index: tf.Tensor1D): tf.Tensor2D {
  return tf.matMul(indicators(index, table.shape[0]), table);
}

/**
 * Reads `table` `[N, F]` by row: `[1, F]` at a number, `[B, F]` at an index `[B]`. Rows at numbers are cut once for all
 * reads.
 */
export function rowsOf(table: tf.Tensor2D): (index: number | tf.Tensor1D) => tf.Tensor2D {
  const rows = split(table, Array(table.shape[0]).fill(1));
  return (index) => (typeof index === 'number' ? (rows[index] as tf.Tensor2D) : lookup(table, index));
}

/** Reads `values`: a number at a number, a column `[B, 1]` at an index `[B]`. */
export function entriesOf(values: readonly number[]): (index: number | tf.Tensor1D) => number | tf.Tensor2D {
  return (index) =>
    typeof index === 'number' ? (values[index] as number) : lookup(tf.tensor2d([...values], [values.length, 1]), index);
}

/** One-hot rows `[B, size]` of an index `[B]`; unlike `tf.oneHot` for any size, 1 included. */
export function indicators(index: tf.Tensor1D, size: number): tf.Tensor2D {
  const matches = tf.equal(tf.reshape(index, [-1, 1]), tf.reshape(tf.range(0, size), [1, size]));
  return tf.cast(matches, 'float32') as tf.Tensor2D;
}
