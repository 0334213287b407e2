import * as tf from '@tensorflow/tfjs-core';

/** Every row `count` times in a row: `[B, F]` to `[B * count, F]`. */
export function repeatRows(x: tf.Tensor2D, count: number): tf.Tensor2D {
  if (count === 1) return x;
  const [rows, features] = x.shape;
  return tf.reshape(tf.tile(tf.reshape(x, [rows, 1, features]), [1, count, 1]), [rows * count, features]);
}
