import * as tf from '@tensorflow/tfjs-core';

/**
 * The best of every group of candidates.
 *
 * @param candidates `[B * groupSize, A]`, those of one group together
 * @param values `[B * groupSize]`; the largest wins, the first of equals
 * @returns `[B, A]`
 */
export function bestOf(candidates: tf.Tensor2D, values: tf.Tensor1D, groupSize: number): tf.Tensor2D {
  if (groupSize === 1) return candidates;
  const groups = candidates.shape[0] / groupSize;
  const best = tf.argMax(tf.reshape(values, [groups, groupSize]), 1);
  const chosen = tf.cast(tf.oneHot(best, groupSize), 'float32');
  const grouped = tf.reshape(candidates, [groups, groupSize, candidates.shape[1]]);
  return tf.sum(tf.mul(grouped, tf.expandDims(chosen, 2)), 1);
}
