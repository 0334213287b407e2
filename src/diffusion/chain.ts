import * as tf from '@tensorflow/tfjs-core';
import { logNormal, logNormalOfNoise } from '../ops/gaussian.js';
import { stopGradient } from '../ops/stopGradient.js';

/** The Gaussian kernels that lead from the prior to the action, for one batch of observations. */
export interface ForwardKernels {
  /** Number of steps K. */
  readonly steps: number;
  /** Mean of the learned kernel $F_k$ from $x_k$ to $x_{k+1}$, `[B, A]`. */
  forwardMean(x: tf.Tensor2D, step: number): tf.Tensor2D;
  /** Standard deviation of $F_k$, `[A]` or a scalar. */
  std(step: number): tf.Tensor1D | tf.Scalar;
}

/** With the kernels that lead back; both members of a pair share the standard deviation. */
export interface Kernels extends ForwardKernels {
  /** Mean of the noising kernel $B_k$ from $x_{k+1}$ to $x_k$, `[B, A]`. */
  backwardMean(next: tf.Tensor2D, step: number): tf.Tensor2D;
}

/** The states $x_0 \ldots x_K$ and the means they were drawn around. */
export interface Rollout {
  states: tf.Tensor2D[];
  /** `means[k]` is the mean of $F_k$ at `states[k]`. */
  means: tf.Tensor2D[];
}

/**
 * Runs the chain from `start`.
 *
 * @param noise one tensor `[B, A]` a step, standard normal; a step without one ends in its mean
 * @param detached whether every state is cut off from the gradient
 */
export function runChain(
  kernels: ForwardKernels,
  start: tf.Tensor2D,
  noise: readonly tf.Tensor2D[],
  detached = false,
): Rollout {
  const states = [start];
  const means: tf.Tensor2D[] = [];
  for (let k = 0; k < kernels.steps; k++) {
    const mean = tf.tidy(() => kernels.forwardMean(states[k] as tf.Tensor2D, k));
    const kick = noise[k];
    const next: tf.Tensor2D = kick ? tf.add(mean, tf.mul(kernels.std(k), kick)) : mean;
    means.push(mean);
    states.push(detached ? stopGradient(next) : next);
  }
  return { states, means };
}

/**
 * $\log F_k(x_{k+1} \mid x_k)$ for every step, `[B]` each. Along pathwise states the standardised residual is the noise
 * itself, so only the normaliser carries a gradient; detached states are evaluated as given.
 */
export function logForwardDensities(
  kernels: Kernels,
  { states, means }: Rollout,
  noise: readonly tf.Tensor2D[],
  detached: boolean,
): tf.Tensor1D[] {
  return means.map((mean, k) => {
    const std = kernels.std(k);
    if (detached) return logNormal(states[k + 1] as tf.Tensor2D, mean, std) as tf.Tensor1D;
    return logNormalOfNoise(noise[k] as tf.Tensor2D, tf.log(std)) as tf.Tensor1D;
  });
}

/** $\log B_k(x_k \mid x_{k+1})$ for every step, `[B]` each. */
export function logBackwardDensities(kernels: Kernels, states: readonly tf.Tensor2D[]): tf.Tensor1D[] {
  return Array.from({ length: kernels.steps }, (_, k) => {
    const mean = kernels.backwardMean(states[k + 1] as tf.Tensor2D, k);
    return logNormal(states[k] as tf.Tensor2D, mean, kernels.std(k)) as tf.Tensor1D;
  });
}

/**
 * How to run a chain that is trained as a stochastic differential equation:
 * - `'sde'` as trained;
 * - `'lastStepMean'`: the same without the last step's noise;
 * - `'ode'`: its probability-flow ODE, $x \leftarrow x + (\bar F_k(x) - \bar B_k(x))/2$ in the kernels' means, which has the
 *   same marginals as the steps get small;
 * - `'mean'`: $x \leftarrow (\bar F_k(x) + \bar B_k(x))/2$, the nearly deterministic rule of DMERL's released code, biased towards 0.
 *
 * All but `'sde'` still draw the start from the prior.
 */
export type SamplingMode = 'sde' | 'lastStepMean' | 'ode' | 'mean';

/** The end of the chain from `start`, `[B, A]`. */
export function endOfChain(
  kernels: Kernels,
  start: tf.Tensor2D,
  noise: readonly tf.Tensor2D[],
  mode: SamplingMode,
): tf.Tensor2D {
  let x = start;
  for (let k = 0; k < kernels.steps; k++) {
    const mean = kernels.forwardMean(x, k);
    if (mode === 'ode') x = tf.add(x, tf.mul(tf.sub(mean, kernels.backwardMean(x, k)), 0.5));
    else if (mode === 'mean') x = tf.mul(tf.add(mean, kernels.backwardMean(x, k)), 0.5);
    else if (mode === 'lastStepMean' && k === kernels.steps - 1) x = mean;
    else x = tf.add(mean, tf.mul(kernels.std(k), noise[k] as tf.Tensor2D));
  }
  return x;
}
