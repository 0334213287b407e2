import * as tf from '@tensorflow/tfjs-core';
import { requireOneOf } from '../errors.js';
import type { CriticObjective } from './criticObjective.js';

/**
 * Scalar twin critics: half the squared error of each head towards one target.
 *
 * @param next how the target takes the heads' next values together: `'mean'` (default; DIME's ablation) or `'min'` (CrossQ)
 * @throws ArgumentError for another `next`
 */
export function scalarObjective(next: 'mean' | 'min' = 'mean'): CriticObjective {
  requireOneOf('scalarObjective', 'next', next, ['mean', 'min']);
  const together = (first: tf.Tensor2D, second: tf.Tensor2D) =>
    next === 'min' ? tf.minimum(first, second) : tf.mul(tf.add(first, second), 0.5);
  return {
    outputs: 1,
    value: (output) => tf.reshape(output, [-1]),
    target: ([first, second], { rewards, discounts, costs }) => {
      const value = tf.reshape(together(first, second), [-1]);
      return tf.reshape(tf.add(rewards, tf.mul(discounts, tf.sub(value, costs))), [-1, 1]);
    },
    loss: (predicted, target) => {
      const [first, second] = predicted.map((output) => tf.mul(tf.mean(tf.square(tf.sub(output, target))), 0.5));
      return tf.add(first as tf.Tensor, second as tf.Tensor);
    },
    saturation: () => tf.scalar(0),
  };
}
