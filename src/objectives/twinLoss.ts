import * as tf from '@tensorflow/tfjs-core';
import { weighRows } from '../ops/weighRows.js';

/**
 * The loss of two critics with one target: their mean squared errors, summed; the mean of the first one's values; and how far
 * both are from the target on average, `[B]`.
 *
 * @param values `[B]` of each critic
 * @param target `[B]`, a constant
 * @param weights how much each row counts in the gradients, `[B]`; left out: 1
 */
export function twinLoss(values: readonly [tf.Tensor1D, tf.Tensor1D], target: tf.Tensor1D, weights?: tf.Tensor1D) {
  const errors = values.map((value) => tf.sub(weighRows(value, weights), target));
  const [first, second] = errors.map((error) => tf.mean<tf.Scalar>(tf.square(error))) as [tf.Scalar, tf.Scalar];
  return {
    loss: tf.add<tf.Scalar>(first, second),
    value: tf.mean<tf.Scalar>(values[0]),
    tdErrors: meanSize(errors as [tf.Tensor1D, tf.Tensor1D]),
  };
}

/** The mean of the sizes of both, `[B]`. */
export function meanSize([first, second]: readonly [tf.Tensor1D, tf.Tensor1D]): tf.Tensor1D {
  return tf.mul(tf.add(tf.abs(first), tf.abs(second)), 0.5);
}
