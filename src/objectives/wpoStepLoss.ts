import * as tf from '@tensorflow/tfjs-core';
import { logNormal } from '../ops/gaussian.js';
import { type StepBatch, stepLogRatio } from './stepBatch.js';
import { type WpoRescale, wpoSurrogate } from './wpoSurrogate.js';

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
 * $-K\,v \cdot \nabla_y \log F_\theta(y \mid x)$, `[B]`, in closed form ({@link wpoSurrogate}), with y and the velocity held
 * constant.
 *
 * It trains mean and standard deviation of the learned kernel; the noising kernel is taken as fixed.
 *
 * @param options.noise `[B, A]`, the standard normal draw that y was made of
 * @param options.velocity see {@link wpoVelocity}
 */
export function wpoStepLoss(
  { kernels, mean, std }: StepBatch,
  options: { noise: tf.Tensor2D; velocity: tf.Tensor2D; rescale?: WpoRescale },
): tf.Tensor1D {
  return tf.mul(wpoSurrogate({ mean, std }, options), -kernels.steps);
}
