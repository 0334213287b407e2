import * as tf from '@tensorflow/tfjs-core';

/**
 * A function of one tensor with a hand-written derivative.
 *
 * @param forward returns the value and what the derivative needs of it
 * @param backward from the gradient of the value and what was saved to the gradient of the argument
 */
export function customGradient<T extends tf.Tensor>(
  x: T,
  forward: (x: tf.Tensor) => { value: tf.Tensor; saved: tf.Tensor[] },
  backward: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor,
): T {
  const apply = tf.customGrad((input, save) => {
    const { value, saved } = forward(input as tf.Tensor);
    (save as (tensors: tf.Tensor[]) => void)(saved);
    return { value, gradFunc: backward };
  });
  return apply(x) as T;
}
