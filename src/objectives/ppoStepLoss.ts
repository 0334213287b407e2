import * as tf from '@tensorflow/tfjs-core';
import { stopGradient, withoutGradient } from '../ops/stopGradient.js';

/** Advantages that vary less are equal, as those of one row are, and give no scale. */
const LEAST_VARIANCE = 1e-8;

/** Transitions of the chain, one a row: `[B]` each; `old` is what the policy that gathered them said. */
export interface PpoStepBatch {
  /** $\log F_\theta(y \mid x)$ at the current parameters. */
  logForward: tf.Tensor1D;
  /** $\log B_\theta(x \mid y)$ at the current parameters, plus the squash's log-determinant at the last step. */
  logBackward: tf.Tensor1D;
  oldLogForward: tf.Tensor1D;
  oldLogBackward: tf.Tensor1D;
  /** Soft advantages of the policy that gathered them, {@link augmentedGae}. */
  advantages: tf.Tensor1D;
  /** T, the price of one nat. */
  temperature: tf.Scalar | number;
  /** Ratios are clipped to [1 - clip, 1 + clip]; `[B]` or one number. */
  clip: tf.Tensor1D | number;
}

export interface PpoStepOptions {
  /**
   * Divide the advantages by their standard deviation in the batch, unless they are all equal (default `true`); their mean is
   * always taken off.
   */
  normalise?: boolean;
  /** Re-evaluate the entropy part of the advantages, $-T\,l_k$, at the current parameters (default `true`). */
  recomputeEntropy?: boolean;
}

/**
 * DiffPPO's actor loss, `[B]`: the clipped surrogate on the ratio of a single transition (never of the whole chain),
 * $-\min(\rho\hat A,\ \mathrm{clip}(\rho)\hat A)$ with $A' = A + T\,(l_{\text{old}} - l_\theta)$. Where the ratio still carries a gradient,
 * learned noising kernels get theirs too, $-T \rho\,\nabla \log B_\theta$ on the scale of the advantages.
 *
 * At the old parameters its mean over transitions of the policy has the gradient of minus the soft return, over K.
 */
export function ppoStepLoss(
  batch: PpoStepBatch,
  options: PpoStepOptions = {},
): { loss: tf.Tensor1D; clipped: tf.Tensor1D } {
  const { logForward, logBackward, temperature, clip } = batch;
  const ratio = tf.exp(tf.sub(logForward, batch.oldLogForward)) as tf.Tensor1D;
  const { centred, scale } = normalisedAdvantages(batch, options);
  const constantRatio = stopGradient(ratio);
  const backwardWeight = tf.div(tf.mul(constantRatio, temperature), scale);
  // Worth 0: only its gradient counts, and min() passes that on exactly where the unclipped term is taken.
  const backwardTerm = tf.mul(backwardWeight, tf.sub(logBackward, stopGradient(logBackward)));
  const unclipped = tf.add(tf.mul(ratio, centred), backwardTerm);
  const bounded = tf.minimum(tf.maximum(constantRatio, tf.sub(1, clip)), tf.add(1, clip));
  const loss = tf.neg(tf.minimum(unclipped, tf.mul(bounded, centred))) as tf.Tensor1D;
  return { loss, clipped: tf.cast(tf.notEqual(bounded, constantRatio), 'float32') as tf.Tensor1D };
}

/** Advantages as constants, centred and divided by `scale`. */
function normalisedAdvantages(
  { logForward, logBackward, oldLogForward, oldLogBackward, advantages, temperature }: PpoStepBatch,
  { normalise = true, recomputeEntropy = true }: PpoStepOptions,
): { centred: tf.Tensor1D; scale: tf.Tensor | number } {
  const newRatio = stopGradient(tf.sub(logForward, logBackward));
  const saved = tf.mul(tf.sub(tf.sub(oldLogForward, oldLogBackward), newRatio), temperature);
  const values = recomputeEntropy ? tf.add(advantages, saved) : advantages;
  const { mean, variance } = tf.moments(values);
  const scale = normalise ? withoutGradient(spreadOf, variance) : 1;
  return { centred: tf.div(tf.sub(values, mean), scale) as tf.Tensor1D, scale };
}

function spreadOf(variance: tf.Tensor): tf.Tensor {
  return tf.where(tf.greater(variance, LEAST_VARIANCE), tf.sqrt(tf.add(variance, 1e-12)), 1);
}
