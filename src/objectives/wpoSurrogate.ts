import * as tf from '@tensorflow/tfjs-core';
import { stopGradient } from '../ops/stopGradient.js';
import type { Moments } from './chainKl.js';

/**
 * How the gradient of Gaussians whose standard deviations differ is weighed:
 * - `'natural'`: by the inverse Fisher information, $\sigma^2$ for the mean and $\sigma^2/2$ for the deviation: the gradient by
 *   the drawn point itself. For the steps of a chain that of {@link sacStepLoss} with `pathOnly`;
 * - `'none'`: as derived, the mean's gradient weighted with $1/\sigma^2$, so that those of little noise dominate;
 * - `'relative'`: `'natural'` over the batch's mean $\sigma^2$: even weights at the overall size of `'none'`.
 */
export type WpoRescale = 'natural' | 'none' | 'relative';

/**
 * What Wasserstein policy optimisation ascends (Pfau et al. 2025, equation 6): $v \cdot \nabla_y \log \mathcal{N}(y; \mu, \sigma)$,
 * `[B]`, in closed form, with $y = \mu + \sigma\epsilon$ and the velocity held constant. Under `'natural'` only its gradient
 * means anything, not its value.
 *
 * @param gaussian the policy's, with gradient
 * @param options.noise `[B, A]`, the standard normal draw $\epsilon$ that y was made of
 * @param options.velocity `[B, A]`, the gradient in y of what is to grow
 */
export function wpoSurrogate(
  { mean, std }: Moments,
  options: { noise: tf.Tensor2D; velocity: tf.Tensor2D; rescale?: WpoRescale },
): tf.Tensor1D {
  const { noise, velocity, rescale = 'natural' } = options;
  const drawn: tf.Tensor2D = tf.add(mean, tf.mul(std, noise));
  if (rescale === 'none') {
    const score = tf.div(tf.sub(mean, stopGradient(drawn)), tf.square(std));
    return tf.sum(tf.mul(velocity, score), 1);
  }
  const moved = tf.sum<tf.Tensor1D>(tf.mul(velocity, drawn), 1);
  return rescale === 'relative' ? tf.div(moved, stopGradient(tf.mean(tf.square(std)))) : moved;
}
