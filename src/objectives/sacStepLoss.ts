import * as tf from '@tensorflow/tfjs-core';
import { logNormal, logNormalOfNoise } from '../ops/gaussian.js';
import { stopGradient } from '../ops/stopGradient.js';
import { type StepBatch, stepLogRatio } from './stepBatch.js';

export interface SacStepOptions {
  /** `[B, A]`, standard normal. */
  noise: tf.Tensor2D;
  /** $U(s, y, k + 1)$, `[B]`: soft value of the successors, $Q(s, \mathrm{squash}(y))$ at the last step. Its parameters get no gradient here. */
  value: (next: tf.Tensor2D) => tf.Tensor1D;
  /**
   * Leaves out the derivative of $\log F_k$ by its own parameters, which has mean zero ("sticking the landing", Roeder et
   * al. 2017): less variance near the optimum. Default `false`.
   */
  pathOnly?: boolean;
}

/**
 * DiffSAC's actor loss: the reparametrised reverse KL of one transition, $K\,(T\,l_k(x, y) - U(s, y, k + 1))$ with
 * $y = \mu + \sigma\epsilon$, `[B]`.
 *
 * With x from the current policy at steps drawn uniformly its mean has the gradient of minus the soft return of the
 * whole chain (bound on the entropy included); its memory does not depend on K.
 */
export function sacStepLoss(batch: StepBatch, options: SacStepOptions): { loss: tf.Tensor1D; logRatio: tf.Tensor1D } {
  const { kernels, mean, std, temperature } = batch;
  const { noise, value, pathOnly = false } = options;
  const next: tf.Tensor2D = tf.add(mean, tf.mul(std, noise));
  const logForward = pathOnly
    ? logNormal(next, stopGradient(mean), stopGradient(std))
    : logNormalOfNoise(noise, tf.log(std));
  const logRatio = stepLogRatio(batch, next, logForward as tf.Tensor1D);
  return { loss: tf.mul(tf.sub(tf.mul(logRatio, temperature), value(next)), kernels.steps), logRatio };
}
