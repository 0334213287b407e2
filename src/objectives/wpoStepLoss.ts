import * as tf from '@tensorflow/tfjs-core';
import { logNormal } from '../ops/gaussian.js';
import { stopGradient } from '../ops/stopGradient.js';
import { type StepBatch, stepLogRatio } from './stepBatch.js';

/**
 * How the velocity loss weighs the steps of a chain, whose standard deviations differ:
 * - `'natural'`: by the inverse Fisher information of the kernel; the gradient is that of {@link sacStepLoss} with `pathOnly`;
 * - `'none'`: as derived, the mean's gradient weighted with $1/\sigma_k^2$, so that steps of little noise dominate;
 * - `'relative'`: `'natural'` over the batch's mean $\sigma^2$: even weights at the overall size of `'none'`.
 */
export type WpoRescale = 'natural' | 'none' | 'relative';

/**
 * Wasserstein velocity of the local objective at y, `[B, A]`, a constant:
 * $v = \nabla_y\,[\,U(s, y, k + 1) + T \log B_k(x \mid y) - T \log F_k(y \mid x)\,]$, with the squash's log-determinant at the last step.
 *
 * @param next `[B, A]`, y drawn from the current kernels
 * @param value $U(s, y, k + 1)$, `[B]`
 */
export function wpoVelocity(
  batch: StepBatch,
  next: tf.Tensor2D,
  value: (next: tf.Tensor2D) => tf.Tensor1D,
): tf.Tensor2D {
  const softValue = (y: tf.Tensor) => {
    const logForward = logNormal(y, batch.mean, batch.std) as tf.Tensor1D;
    const logRatio = stepLogRatio(batch, y as tf.Tensor2D, logForward);
    return tf.sum(tf.sub(value(y as tf.Tensor2D), tf.mul(logRatio, batch.temperature)));
  };
  return tf.grad(softValue)(next) as tf.Tensor2D;
}

/**
 * DiffWPO's actor loss (Wasserstein policy optimisation, Pfau et al. 2025, lifted to one transition of the chain):
 * $-K\,v \cdot \nabla_y \log F_\theta(y \mid x)$, `[B]`, in closed form, with y and the velocity held constant.
 *
 * It trains mean and standard deviation of the learned kernel; the noising kernel is taken as fixed.
 *
 * @param options.noise `[B, A]`, the standard normal draw that y was made of
 * @param options.velocity see {@link wpoVelocity}
 */
export function wpoStepLoss(
  { kernels: { steps }, mean, std }: StepBatch,
  options: { noise: tf.Tensor2D; velocity: tf.Tensor2D; rescale?: WpoRescale },
): tf.Tensor1D {
  const { noise, velocity, rescale = 'natural' } = options;
  if (rescale === 'none') {
    const next = stopGradient(tf.add(mean, tf.mul(std, noise)));
    const score = tf.div(tf.sub(mean, next), tf.square(std));
    return tf.mul(tf.sum(tf.mul(velocity, score), 1), -steps);
  }
  const moved = tf.sum(tf.mul(velocity, tf.add(mean, tf.mul(std, noise))), 1);
  const scale = rescale === 'relative' ? stopGradient(tf.mean(tf.square(std))) : 1;
  return tf.div(tf.mul(moved, -steps), scale);
}
