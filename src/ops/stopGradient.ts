import * as tf from '@tensorflow/tfjs-core';

/** `x` with its gradient cut: the value passes, the derivative is zero. */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  return withoutGradient((value) => tf.clone(value) as T, x);
}

/** `compute(...inputs)` as a constant: nothing in it is recorded, so it costs no backward pass. */
export function withoutGradient<T extends tf.Tensor>(
  compute: (...inputs: tf.Tensor[]) => T,
  ...inputs: tf.Tensor[]
): T {
  const constant = tf.customGrad((...args) => ({
    value: compute(...(args.slice(0, inputs.length) as tf.Tensor[])),
    gradFunc: () => inputs.map((input) => tf.zeros(input.shape)),
  }));
  return constant(...inputs) as T;
}
