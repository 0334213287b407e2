import * as tf from '@tensorflow/tfjs-core';

const LOG_2PI = Math.log(2 * Math.PI);

/**
 * Log-density of a diagonal Gaussian, summed over the last axis: `[..., A]` to `[...]`.
 *
 * @param std positive; a number, or a tensor that broadcasts against `x`
 */
export function logNormal(x: tf.Tensor, mean: tf.Tensor | number, std: tf.Tensor | number): tf.Tensor {
  return tf.sum(logNormalEntries(x, mean, std), -1);
}

/** {@link logNormal} entry by entry, `[..., A]`. */
export function logNormalEntries(x: tf.Tensor, mean: tf.Tensor | number, std: tf.Tensor | number): tf.Tensor {
  const logStd = typeof std === 'number' ? Math.log(std) : tf.log(std);
  return entriesOfNoise(tf.div(tf.sub(x, mean), std), logStd);
}

/** {@link logNormal} at `mean + std * noise`, from the standardised `noise` itself. */
export function logNormalOfNoise(noise: tf.Tensor, logStd: tf.Tensor | number): tf.Tensor {
  return tf.sum(entriesOfNoise(noise, logStd), -1);
}

function entriesOfNoise(noise: tf.Tensor, logStd: tf.Tensor | number): tf.Tensor {
  return tf.sub(tf.mul(tf.square(noise), -0.5), tf.add(logStd, LOG_2PI / 2));
}
