import * as tf from '@tensorflow/tfjs-core';
import type { Rng } from '../rng/rng.js';

/** Standard deviation of a standard normal cut to [-2, 2]. */
const TRUNCATED_STD = 0.8796256610342398;

/** LeCun's normal initialisation `[fanIn, fanOut]`: truncated normal of variance 1 / fanIn, as in Flax. */
export function lecunNormal(rng: Rng, fanIn: number, fanOut: number): tf.Variable<tf.Rank.R2> {
  const values = rng.truncatedNormals(fanIn * fanOut, Math.sqrt(1 / fanIn) / TRUNCATED_STD);
  return tf.tidy(() => tf.variable(tf.tensor2d(values, [fanIn, fanOut])));
}

/** A trainable variable with the same number everywhere. */
export function constant<R extends tf.Rank>(shape: tf.ShapeMap[R], value: number): tf.Variable<R> {
  return tf.tidy(() => tf.variable(tf.fill<R>(shape, value)));
}
