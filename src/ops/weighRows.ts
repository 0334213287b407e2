import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './customGradient.js';

/**
 * `x`, whose gradient counts `weights[i]` times in row i: a mean over rows of any loss of it is trained as a weighted one.
 *
 * @param x `[B, ...]`
 * @param weights `[B]`, constants; left out: `x` itself
 */
export function weighRows<T extends tf.Tensor>(x: T, weights: tf.Tensor1D | undefined): T {
  if (!weights) return x;
  const column = tf.reshape(weights, [-1, ...x.shape.slice(1).map(() => 1)]);
  return customGradient(
    x,
    (value) => ({ value: tf.clone(value), saved: [column] }),
    (dy, [factor]) => tf.mul(dy, factor as tf.Tensor),
  );
}
