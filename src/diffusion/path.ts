import * as tf from '@tensorflow/tfjs-core';

/**
 * Trajectories of a policy's Markov chain, generation order: `states[0]` is the prior's draw, `states[K]` the end,
 * `action` its squashed value. Rows are trajectories; those of one observation stand together, `groupSize` of them.
 * Policies without a chain, such as {@link GaussianSampler}, have one state, the end, and one kernel, which nothing noises.
 */
export interface DiffusionPath {
  /** `[B, O]`, one observation a trajectory. */
  readonly observations: tf.Tensor2D;
  /** K + 1 tensors `[B, A]`. */
  readonly states: readonly tf.Tensor2D[];
  /** `[B, A]` */
  readonly action: tf.Tensor2D;
  /** `[K, B]`: $\log F_k(x_{k+1} \mid x_k)$ of the learned kernels. */
  readonly logForward: tf.Tensor2D;
  /** `[K, B]`: $\log B_k(x_k \mid x_{k+1})$ of the noising kernels. */
  readonly logBackward: tf.Tensor2D;
  /** `[B]`: $\log p(x_0)$. */
  readonly logPrior: tf.Tensor1D;
  /** `[B]`: log-determinant of the squash at the end. */
  readonly logDet: tf.Tensor1D;
  /** `[B]`: $\sum_k (\log F_k - \log B_k) - \text{logDet}$. */
  readonly runCost: tf.Tensor1D;
  /** `[B]`: run cost plus log prior; minus a one-sample entropy lower bound. */
  readonly totalCost: tf.Tensor1D;
  /** Trajectories per observation. */
  readonly groupSize: number;
}

/** Fills in the costs of a path. */
export function completePath(parts: Omit<DiffusionPath, 'runCost' | 'totalCost'>): DiffusionPath {
  const logRatio = tf.sum(tf.sub(parts.logForward, parts.logBackward), 0);
  const runCost = tf.sub(logRatio, parts.logDet) as tf.Tensor1D;
  return { ...parts, runCost, totalCost: tf.add(runCost, parts.logPrior) };
}

/**
 * One-sample lower bound on the entropy of the policy's action distribution, `[B]`; its mean over trajectories of one
 * observation bounds $H(\pi(\cdot \mid s))$ from below (DIME, equation 20). Equal to `-path.totalCost`.
 */
export function entropyLowerBound(path: DiffusionPath): tf.Tensor1D {
  return tf.neg(path.totalCost);
}

/** $\sum_k \log F_k$, `[B]`. */
export function sumLogForward(path: DiffusionPath): tf.Tensor1D {
  return tf.sum(path.logForward, 0);
}

/** $\sum_k \log B_k$, `[B]`. */
export function sumLogBackward(path: DiffusionPath): tf.Tensor1D {
  return tf.sum(path.logBackward, 0);
}
