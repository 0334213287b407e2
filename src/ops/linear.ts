import * as tf from '@tensorflow/tfjs-core';

/** `x kernel + bias`: `[B, I]`, `[I, O]`, `[O]` to `[B, O]`. */
export function linear(x: tf.Tensor2D, kernel: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor2D {
  const product: tf.Tensor2D = tf.matMul(x, kernel);
  return bias ? tf.add(product, bias) : product;
}

/** Rows of `table` `[N, F]` picked by `index` `[B]`; a matrix product, so that its gradient exists on every backend. */
export function lookup(table: tf.Tensor2D, index: tf.Tensor1D): tf.Tensor2D {
  const onehot = tf.oneHot(tf.cast(index, 'int32'), table.shape[0]) as tf.Tensor2D;
  return tf.matMul(tf.cast(onehot, 'float32'), table);
}
