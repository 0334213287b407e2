import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
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
  return described(squaredErrors(next, 0.5), scalarObjective, { next });
}

/** The critics of SAC, TD3 and others: squared errors towards the smaller next value. */
export const smallerValue: CriticObjective = squaredErrors('min', 1);

function squaredErrors(next: 'mean' | 'min', factor: number): CriticObjective {
  const together = (first: tf.Tensor2D, second: tf.Tensor2D) =>
    next === 'min' ? tf.minimum(first, second) : tf.mul(tf.add(first, second), 0.5);
  return {
    outputs: 1,
    value: (output) => tf.reshape(output, [-1]),
    target: ([first, second], { rewards, discounts, costs }) => {
      const value = tf.reshape(together(first, second), [-1]);
      const soft = costs ? tf.sub(value, costs) : value;
      return tf.reshape(tf.add(rewards, tf.mul(discounts, soft)), [-1, 1]);
    },
    loss: (predicted, target) => {
      const [first, second] = predicted.map((output) => {
        const error = tf.mean<tf.Scalar>(tf.square(tf.sub(output, target)));
        return factor === 1 ? error : tf.mul<tf.Scalar>(error, factor);
      }) as [tf.Scalar, tf.Scalar];
      return tf.add(first, second);
    },
  };
}
