import * as tf from '@tensorflow/tfjs-core';

/**
 * Denoising score matching in its noise form: the squared distance of the predicted noise to the noise that was added,
 * averaged over rows and entries. It equals the loss on the score times $1 - \bar\alpha_i$.
 *
 * @param predicted `[B, A]`
 * @param noise `[B, A]`, without gradient
 * @param weights `[B]`, one a row, without gradient; default: all 1
 */
export function denoisingScoreMatchingLoss(
  predicted: tf.Tensor2D,
  noise: tf.Tensor2D,
  weights?: tf.Tensor1D,
): tf.Scalar {
  const perRow: tf.Tensor1D = tf.mean(tf.square(tf.sub(predicted, noise)), 1);
  return tf.mean(weights ? tf.mul(perRow, weights) : perRow);
}
