import * as tf from '@tensorflow/tfjs-core';
import type { DiffusionPath } from '../diffusion/path.js';
import { type StepBatch, stepLogRatio } from '../objectives/stepBatch.js';
import { logNormal } from '../ops/gaussian.js';
import { indicators } from '../ops/linear.js';

/** Transitions of the chain to train on, R rows; constants. */
export interface SampledSteps {
  observations: tf.Tensor2D;
  /** Latents `[R, A]` at ... */
  x: tf.Tensor2D;
  /** ... diffusion steps `[R]`. */
  step: tf.Tensor1D;
  /** What came of the latents, if their chains were simulated. */
  chain?: { next: tf.Tensor2D; action: tf.Tensor2D; costAhead: tf.Tensor1D; totalCost: tf.Tensor1D };
}

/** Losses and log ratios of transitions, `[R]` each, at the kernels given. */
export type RowLosses = (batch: StepBatch) => { loss: tf.Tensor1D; logRatio: tf.Tensor1D };

/** Self-normalised importance-weighted likelihood of each chain's sampled transition: forward KL to exp(Q / T). */
export function forwardKlLosses(
  { next, totalCost }: NonNullable<SampledSteps['chain']>,
  value: tf.Tensor1D,
  groupSize: number,
): RowLosses {
  return (batch) => {
    const logWeights = tf.reshape(tf.sub(tf.div(value, batch.temperature), totalCost), [-1, groupSize]);
    const weights = tf.reshape(tf.softmax(logWeights), [-1]);
    const density = logNormal(next, batch.mean, batch.std) as tf.Tensor1D;
    const scale = tf.mul(batch.temperature, -batch.kernels.steps * groupSize);
    return { loss: tf.mul(tf.mul(weights, density), scale), logRatio: stepLogRatio(batch, next, density) };
  };
}

/** Latents at the chosen steps and what came of them, from the first `rows` trajectories of a path. */
export function sampledFrom(path: DiffusionPath, step: tf.Tensor1D, rows: number) {
  const head = <T extends tf.Tensor>(tensor: T): T => tf.slice(tensor, 0, rows);
  const states = path.states.map(head);
  const steps = path.logForward.shape[0];
  const logRatios = tf.slice(tf.sub(path.logForward, path.logBackward), [0, 0], [-1, rows]);
  const isAhead = tf.greaterEqual(tf.reshape(tf.range(0, steps), [-1, 1]), tf.reshape(step, [1, -1]));
  const ahead = tf.sum(tf.mul(logRatios, tf.cast(isAhead, 'float32')), 0);
  return {
    x: select(states.slice(0, steps), step),
    chain: {
      next: select(states.slice(1), step),
      action: head(path.action),
      costAhead: tf.sub(ahead, head(path.logDet)) as tf.Tensor1D,
      totalCost: head(path.totalCost),
    },
  };
}

/** Row r of the result is row r of `choices[index[r]]`. */
export function select(choices: tf.Tensor2D[], index: tf.Tensor1D): tf.Tensor2D {
  const chosen = tf.transpose(indicators(index, choices.length));
  return tf.sum(tf.mul(tf.stack(choices), tf.expandDims(chosen, 2)), 0);
}
