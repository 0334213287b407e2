import * as tf from '@tensorflow/tfjs-core';

/** Rows `[B, F]` less their mean, over their standard deviation, times `scale` `[F]` plus `bias` `[F]` (Ba et al. 2016). */
export function layerNorm(x: tf.Tensor2D, scale: tf.Tensor1D, bias: tf.Tensor1D, epsilon = 1e-6): tf.Tensor2D {
  const centred = tf.sub(x, tf.mean(x, 1, true));
  const variance = tf.mean(tf.square(centred), 1, true);
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), scale), bias);
}
