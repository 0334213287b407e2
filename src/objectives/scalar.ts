import * as tf from '@tensorflow/tfjs-core';
import type { CriticObjective } from './criticObjective.js';

/** Scalar twin critics: half the squared error of each head towards the mean of both heads' next values. */
export function scalarObjective(): CriticObjective {
  return {
    outputs: 1,
    value: (output) => tf.reshape(output, [-1]),
    target: ([first, second], { rewards, discounts, costs }) => {
      const value = tf.reshape(tf.mul(tf.add(first, second), 0.5), [-1]);
      return tf.reshape(tf.add(rewards, tf.mul(discounts, tf.sub(value, costs))), [-1, 1]);
    },
    loss: (predicted, target) => {
      const [first, second] = predicted.map((output) => tf.mul(tf.mean(tf.square(tf.sub(output, target))), 0.5));
      return tf.add(first as tf.Tensor, second as tf.Tensor);
    },
    saturation: () => tf.scalar(0),
  };
}
