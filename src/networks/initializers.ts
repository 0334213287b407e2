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

/**
 * Orthogonal initialisation `[fanIn, fanOut]` (Saxe et al. 2014): rows or columns, whichever are fewer, are orthonormal, times
 * `gain`.
 */
export function orthogonal(rng: Rng, fanIn: number, fanOut: number, gain: number): tf.Variable<tf.Rank.R2> {
  const [few, long] = fanIn < fanOut ? [fanIn, fanOut] : [fanOut, fanIn];
  const vectors = orthonormal(Array.from({ length: few }, () => Float64Array.from(rng.normals(long))));
  return tf.tidy(() => {
    const rows = tf.mul(tf.tensor2d(Float32Array.from(vectors.flatMap((vector) => [...vector])), [few, long]), gain);
    return tf.variable(fanIn < fanOut ? (rows as tf.Tensor2D) : tf.transpose(rows as tf.Tensor2D));
  });
}

/** A trainable variable with the same number everywhere. */
export function constant<R extends tf.Rank>(shape: tf.ShapeMap[R], value: number): tf.Variable<R> {
  return tf.tidy(() => tf.variable(tf.fill<R>(shape, value)));
}

/** Gram and Schmidt's, in place; one after the other, which is stable. */
function orthonormal(vectors: Float64Array[]): Float64Array[] {
  vectors.forEach((vector, i) => {
    for (const other of vectors.slice(0, i)) addScaled(vector, other, -dot(vector, other));
    const length = Math.sqrt(dot(vector, vector));
    for (let j = 0; j < vector.length; j++) vector[j] = (vector[j] as number) / length;
  });
  return vectors;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function addScaled(target: Float64Array, vector: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + factor * (vector[i] as number);
}
