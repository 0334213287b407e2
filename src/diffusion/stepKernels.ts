import type * as tf from '@tensorflow/tfjs-core';
import { logNormal } from '../ops/gaussian.js';

/** The Gaussian kernels of a chain for one transition a row, each row at a step of its own. */
export interface StepKernels {
  /** Mean of the learned kernel $F_k$ from x to its successor, `[B, A]`. */
  forwardMean(x: tf.Tensor2D): tf.Tensor2D;
  /** Mean of the noising kernel $B_k$ from the successor to x, `[B, A]`. */
  backwardMean(next: tf.Tensor2D): tf.Tensor2D;
  /** `[B, A]` */
  readonly forwardStd: tf.Tensor2D;
  /** `[B, A]` */
  readonly backwardStd: tf.Tensor2D;
}

/** $\log F_k(\text{next} \mid x)$, `[B]`. */
export function logForward(kernels: StepKernels, x: tf.Tensor2D, next: tf.Tensor2D): tf.Tensor1D {
  return logNormal(next, kernels.forwardMean(x), kernels.forwardStd) as tf.Tensor1D;
}

/** $\log B_k(x \mid \text{next})$, `[B]`. */
export function logBackward(kernels: StepKernels, x: tf.Tensor2D, next: tf.Tensor2D): tf.Tensor1D {
  return logNormal(x, kernels.backwardMean(next), kernels.backwardStd) as tf.Tensor1D;
}
