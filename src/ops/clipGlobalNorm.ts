import * as tf from '@tensorflow/tfjs-core';

/** All gradients times the one factor that brings their joint Euclidean norm down to `limit`, if it is above. */
export function clipGlobalNorm(gradients: Record<string, tf.Tensor>, limit: number): Record<string, tf.Tensor> {
  const squares = Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient)));
  const factor = tf.div(limit, tf.maximum(tf.sqrt(tf.addN(squares)), limit));
  return Object.fromEntries(Object.entries(gradients).map(([name, gradient]) => [name, tf.mul(gradient, factor)]));
}
