import * as tf from '@tensorflow/tfjs-core';
import type { Squash } from '../diffusion/squash.js';
import { logBackward, type StepKernels } from '../diffusion/stepKernels.js';

/** One transition of the chain a row, each at a step of its own. */
export interface StepBatch {
  /** At the current parameters and the rows' observations and steps. */
  kernels: StepKernels;
  /** `[B, A]`, where the transitions start; a constant. */
  x: tf.Tensor2D;
  /** `[B]`, 1 for rows at the chain's last step (whose successor is the action before it is squashed), else 0. */
  isLast: tf.Tensor1D;
  squash: Squash;
  /** Diffusion steps K. */
  steps: number;
  /** T, the price of one nat. */
  temperature: tf.Scalar | number;
}

/**
 * Log ratio of a transition, $l_k = \log F_k(y \mid x) - \log B_k(x \mid y)$, at the last step less the squash's
 * log-determinant, `[B]`. Its sum along a chain is the path's run cost.
 *
 * @param logForward `[B]`, $\log F_k(y \mid x)$
 */
export function stepLogRatio(batch: StepBatch, next: tf.Tensor2D, logForward: tf.Tensor1D): tf.Tensor1D {
  const { kernels, x, isLast, squash } = batch;
  const ratio = tf.sub(logForward, logBackward(kernels, x, next));
  return tf.sub(ratio, tf.mul(isLast, squash.logDet(next)));
}
