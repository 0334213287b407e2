import * as tf from '@tensorflow/tfjs-core';

/**
 * The loss of two critics with one target: their mean squared errors, summed; and the mean of the first one's values.
 *
 * @param values `[B]` of each critic
 * @param target `[B]`, a constant
 */
export function twinLoss([first, second]: readonly [tf.Tensor1D, tf.Tensor1D], target: tf.Tensor1D) {
  const error = (values: tf.Tensor1D) => tf.mean(tf.square(tf.sub(values, target)));
  return { loss: tf.add<tf.Scalar>(error(first), error(second)), value: tf.mean<tf.Scalar>(first) };
}
