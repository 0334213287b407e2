import * as tf from '@tensorflow/tfjs-core';
import type { Rng } from '../rng/rng.js';

/** Standard deviation of a standard normal cut to [-2, 2]. */
const TRUNCATED_STD = 0.8796256610342398;

/**
 * LeCun's normal initialisation `[fanIn, fanOut]`: truncated normal of variance 1 / fanIn, as in Flax.
 *
 * @param fanIn a list stands for parts side by side that get equal shares of the variance, whatever their sizes
 */
export function lecunNormal(rng: Rng, fanIn: number | readonly number[], fanOut: number): tf.Variable<tf.Rank.R2> {
  const parts = typeof fanIn === 'number' ? [fanIn] : fanIn;
  const draw = (size: number) => {
    const values = rng.truncatedNormals(size * fanOut, Math.sqrt(1 / (size * parts.length)) / TRUNCATED_STD);
    return tf.tensor2d(values, [size, fanOut]);
  };
  return tf.tidy(() => tf.variable(tf.concat(parts.map(draw)) as tf.Tensor2D));
}

/** A trainable variable with the same number everywhere. */
export function constant<R extends tf.Rank>(shape: tf.ShapeMap[R], value: number): tf.Variable<R> {
  return tf.tidy(() => tf.variable(tf.fill<R>(shape, value)));
}
