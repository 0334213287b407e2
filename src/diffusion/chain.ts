import * as tf from '@tensorflow/tfjs-core';
import { logNormal, logNormalOfNoise } from '../ops/gaussian.js';
import { unstack } from '../ops/pieces.js';
import { stopGradient } from '../ops/stopGradient.js';
import { stdOfBackward, type TransitionKernels } from './kernels.js';

/** The states $x_0 \ldots x_K$ of a chain and the means they were drawn around. */
export interface ChainStates {
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
  kernels: TransitionKernels,
  start: tf.Tensor2D,
  noise: readonly tf.Tensor2D[],
  detached = false,
): ChainStates {
  const states = [start];
  const means: tf.Tensor2D[] = [];
  const kicks = scaled(kernels, noise);
  for (let k = 0; k < kernels.steps; k++) {
    const mean = tf.tidy(() => kernels.forwardMean(states[k] as tf.Tensor2D, k));
    const kick = kicks[k];
    const next: tf.Tensor2D = kick ? tf.add(mean, kick) : mean;
    means.push(mean);
    states.push(detached ? stopGradient(next) : next);
  }
  return { states, means };
}

/** The noise of every step times its standard deviation. */
function scaled(kernels: TransitionKernels, noise: readonly tf.Tensor2D[]): tf.Tensor2D[] {
  // The gradient of an unstack of one is broken in TensorFlow.js.
  if (noise.length < 2) return noise.map((kick, k) => tf.mul(kick, kernels.std(k)));
  const std = tf.expandDims(tf.concat(noise.map((_, k) => kernels.std(k))), 1);
  return unstack(tf.mul(tf.stack([...noise]), std)) as tf.Tensor2D[];
}

/**
 * $\log F_k(x_{k+1} \mid x_k)$ for every step, `[K, B]`. Along pathwise states the standardised residual is the noise
 * itself, so only the normaliser carries a gradient; detached states are evaluated as given.
 *
 * @param noise `[K, B, A]`
 */
export function logForwardDensities(
  kernels: TransitionKernels,
  { states, means }: ChainStates,
  noise: tf.Tensor3D,
  detached: boolean,
): tf.Tensor2D {
  const std = ofAllSteps(kernels, (k) => kernels.std(k));
  if (!detached) return logNormalOfNoise(noise, tf.log(std)) as tf.Tensor2D;
  return logNormal(tf.stack(states.slice(1)), tf.stack(means), std) as tf.Tensor2D;
}

/** $\log B_k(x_k \mid x_{k+1})$ for every step, `[K, B]`. */
export function logBackwardDensities(kernels: TransitionKernels, states: readonly tf.Tensor2D[]): tf.Tensor2D {
  const { steps } = kernels;
  const all = tf.stack([...states]) as tf.Tensor3D;
  const from = tf.slice(all, 0, steps);
  const means =
    kernels.backwardMean.ofAllSteps?.(tf.slice(all, 1)) ??
    tf.stack(states.slice(1).map((next, k) => kernels.backwardMean(next, k)));
  return logNormal(
    from,
    means,
    ofAllSteps(kernels, (k) => stdOfBackward(kernels, k)),
  ) as tf.Tensor2D;
}

/** The standard deviations of all steps, `[K, 1, A]`. */
function ofAllSteps({ steps }: TransitionKernels, std: TransitionKernels['std']): tf.Tensor {
  return tf.expandDims(tf.concat(Array.from({ length: steps }, (_, k) => std(k))), 1);
}

/**
 * How to run a chain that is trained as a stochastic differential equation:
 * - `'sde'` as trained;
 * - `'lastStepMean'`: the same without the last step's noise;
 * - `'ode'`: its probability-flow ODE, $x \leftarrow x + (\bar F_k(x) - \bar B_k(x))/2$ in the kernels' means, which has the
 *   same marginals as the steps get small;
 * - `'mean'`: $x \leftarrow (\bar F_k(x) + \bar B_k(x))/2$, the nearly deterministic rule of DMERL's released code, biased towards 0.
 *
 * - `'deterministic'`: the `'ode'` from the prior's mean, one action for an observation whatever the noise.
 *
 * The others draw the start from the prior. All cost one call of the control network a step; `'ode'`, `'mean'` and
 * `'deterministic'` one of the backward control too, on a general bridge.
 */
export type SamplingMode = (typeof samplingModes)[number];

/** All {@link SamplingMode}s. */
export const samplingModes = ['sde', 'lastStepMean', 'ode', 'mean', 'deterministic'] as const;

/** The end of the chain from `start`, `[B, A]`. */
export function endOfChain(
  kernels: TransitionKernels,
  start: tf.Tensor2D,
  noise: readonly tf.Tensor2D[],
  mode: SamplingMode,
): tf.Tensor2D {
  let x = mode === 'deterministic' ? tf.zerosLike(start) : start;
  const kicks = mode === 'sde' || mode === 'lastStepMean' ? scaled(kernels, noise) : [];
  for (let k = 0; k < kernels.steps; k++) {
    const mean = kernels.forwardMean(x, k);
    if (mode === 'ode' || mode === 'deterministic')
      x = tf.add(x, tf.mul(tf.sub(mean, kernels.backwardMean(x, k)), 0.5));
    else if (mode === 'mean') x = tf.mul(tf.add(mean, kernels.backwardMean(x, k)), 0.5);
    else if (mode === 'lastStepMean' && k === kernels.steps - 1) x = mean;
    else x = tf.add(mean, kicks[k] as tf.Tensor2D);
  }
  return x;
}
