import type * as tf from '@tensorflow/tfjs-core';
import type { DiffusionStep } from '../networks/stepNetwork.js';
import { logNormal } from '../ops/gaussian.js';

/**
 * The Gaussian transition kernels of a chain for one batch of observations, in generation order: $F_k$ leads from $x_k$
 * to $x_{k+1}$ and on to the action, $B_k$ back. The step is a number, or one a row; rows are the same either way.
 */
export interface TransitionKernels {
  /** Number of steps K. */
  readonly steps: number;
  /** Mean of the learned kernel $F_k$ from x, `[B, A]`. */
  forwardMean(x: tf.Tensor2D, step: DiffusionStep): tf.Tensor2D;
  /**
   * Mean of the noising kernel $B_k$ from the successor of x, `[B, A]`.
   *
   * @param control `[B, A]`, added to the drift by a {@link generalBridge}; default: none
   */
  readonly backwardMean: BackwardMean;
  /** Standard deviation of $F_k$, `[1, A]` at a number, `[B, A]` at one a row. */
  std(step: DiffusionStep): tf.Tensor2D;
  /** That of $B_k$ where it differs, default `std`. */
  backwardStd?(step: DiffusionStep): tf.Tensor2D;
}

/** See {@link TransitionKernels.backwardMean}. */
export interface BackwardMean {
  (next: tf.Tensor2D, step: DiffusionStep, control?: tf.Tensor2D): tf.Tensor2D;
  /** The means of all steps at once, from `[K, B, A]`, if that takes fewer operators than one by one. */
  ofAllSteps?(next: tf.Tensor3D): tf.Tensor3D;
}

/** $\log F_k(\text{next} \mid x)$, `[B]`. */
export function logForward(
  kernels: TransitionKernels,
  x: tf.Tensor2D,
  next: tf.Tensor2D,
  step: DiffusionStep,
): tf.Tensor1D {
  return logNormal(next, kernels.forwardMean(x, step), kernels.std(step)) as tf.Tensor1D;
}

/** $\log B_k(x \mid \text{next})$, `[B]`. */
export function logBackward(
  kernels: TransitionKernels,
  x: tf.Tensor2D,
  next: tf.Tensor2D,
  step: DiffusionStep,
): tf.Tensor1D {
  return logNormal(x, kernels.backwardMean(next, step), stdOfBackward(kernels, step)) as tf.Tensor1D;
}

/** The standard deviation of $B_k$. */
export function stdOfBackward(kernels: TransitionKernels, step: DiffusionStep): tf.Tensor2D {
  return kernels.backwardStd?.(step) ?? kernels.std(step);
}
