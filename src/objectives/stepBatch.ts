import * as tf from '@tensorflow/tfjs-core';
import type { DiffusionSampler } from '../diffusion/diffusionSampler.js';
import { logBackward, type TransitionKernels } from '../diffusion/kernels.js';
import type { Squash } from '../diffusion/squash.js';

/** One transition of the chain a row, each at a step of its own. Made by {@link stepBatch}. */
export interface StepBatch {
  /** At the current parameters and the rows' observations. */
  kernels: TransitionKernels;
  /** `[B, A]`, where the transitions start; a constant. */
  x: tf.Tensor2D;
  /** `[B]`, diffusion steps, generation order. */
  step: tf.Tensor1D;
  /** Mean of $F_k$ at x, `[B, A]`. */
  mean: tf.Tensor2D;
  /** Its standard deviation, `[B, A]`. */
  std: tf.Tensor2D;
  squash: Squash;
  /** T, the price of one nat. */
  temperature: tf.Scalar | number;
}

/** Where transitions start. */
export interface StepRows {
  /** `[B, O]` */
  observations: tf.Tensor2D;
  /** `[B, A]` */
  x: tf.Tensor2D;
  /** `[B]`, diffusion steps, generation order */
  step: tf.Tensor1D;
}

/** How transitions are priced and trained. */
export interface StepBatchOptions {
  /** T, the price of one nat. */
  temperature: tf.Scalar | number;
  /** Whether the diffusion coefficient and learned noising kernels get gradients, default `true`. */
  trainDiffusion?: boolean;
}

/** Transitions of `sampler`'s chain at its current parameters. */
export function stepBatch(
  sampler: DiffusionSampler,
  { observations, x, step }: StepRows,
  { temperature, trainDiffusion }: StepBatchOptions,
): StepBatch {
  const kernels = sampler.bind(observations, { trainDiffusion });
  const mean = kernels.forwardMean(x, step);
  return { kernels, x, step, mean, std: kernels.std(step), squash: sampler.squash, temperature };
}

/**
 * Log ratio of a transition, $l_k = \log F_k(y \mid x) - \log B_k(x \mid y)$, at the last step less the squash's
 * log-determinant, `[B]`. Its sum along a chain is the path's run cost.
 *
 * @param logForward `[B]`, $\log F_k(y \mid x)$
 */
export function stepLogRatio(batch: StepBatch, next: tf.Tensor2D, logForward: tf.Tensor1D): tf.Tensor1D {
  return tf.sub(logForward, logNoising(batch, next));
}

/** $\log B_k(x \mid y)$, at the last step plus the squash's log-determinant, `[B]`. */
export function logNoising({ kernels, x, step, squash }: StepBatch, next: tf.Tensor2D): tf.Tensor1D {
  const isLast = tf.cast(tf.equal(step, kernels.steps - 1), 'float32');
  return tf.add(logBackward(kernels, x, next, step), tf.mul(isLast, squash.logDet(next)));
}
