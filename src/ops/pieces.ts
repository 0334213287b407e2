import * as tf from '@tensorflow/tfjs-core';

// The gradients of TensorFlow.js's split and unstack are lost where there is one piece: these keep them.

/** `x` cut along `axis` into pieces of `sizes`. */
export function split<T extends tf.Tensor>(x: T, sizes: readonly number[], axis = 0): T[] {
  return sizes.length === 1 ? [x] : tf.split(x, [...sizes], axis);
}

/** The entries of the first axis: `[N, ...]` to N of `[...]`. */
export function unstack(x: tf.Tensor): tf.Tensor[] {
  return x.shape[0] === 1 ? [tf.squeeze(x, [0])] : tf.unstack(x);
}
