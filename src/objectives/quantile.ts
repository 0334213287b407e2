import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { requireInteger, requireNumber } from '../errors.js';
import { withoutGradient } from '../ops/stopGradient.js';
import { requireOptions } from '../options.js';
import type { CriticObjective } from './criticObjective.js';

export interface QuantileOptions {
  /** Quantiles of a head, >= 1, default 100 (BRO's). */
  quantiles?: number;
  /** Errors below it are squared, larger ones linear; > 0, default 1. */
  kappa?: number;
}

/**
 * A distributional critic by quantile regression (QR-DQN, Dabney et al. 2018), as BRO has it (Nauman et al. 2024): head output i
 * is the return's quantile at $\tau_i = (i + \tfrac12)/n$. Both heads learn from the mean of their quantiles at the next state.
 *
 * $L = \sum_{\text{heads}} \mathrm{mean}_B \sum_i \mathrm{mean}_j\ |\tau_i - 1[y_j < \theta_i]|\ H_\kappa(y_j - \theta_i)/\kappa$ with the Huber loss H.
 *
 * @throws ArgumentError unless quantiles >= 1 and kappa > 0
 */
export function quantileObjective(options: QuantileOptions = {}): CriticObjective {
  const { quantiles = 100, kappa = 1 } = requireOptions('quantileObjective', options, { quantiles: true, kappa: true });
  requireInteger('quantileObjective', 'quantiles', quantiles, { min: 1 });
  requireNumber('quantileObjective', 'kappa', kappa, { above: 0 });
  const objective: CriticObjective = {
    outputs: quantiles,
    value: (output) => tf.mean(output, 1),
    target: ([first, second], { rewards, discounts, costs }) => {
      const mean = tf.mul(tf.add(first, second), 0.5);
      const next = costs ? tf.sub(mean, tf.reshape(costs, [-1, 1])) : mean;
      return tf.add(tf.reshape(rewards, [-1, 1]), tf.mul(tf.reshape(discounts, [-1, 1]), next));
    },
    loss: (predicted, target) => {
      const [first, second] = predicted.map((output) => quantileHuberLoss(output, target, kappa));
      return tf.add(first as tf.Scalar, second as tf.Scalar);
    },
  };
  return described(objective, quantileObjective, { quantiles, kappa });
}

/** @param predicted quantiles `[B, n]` @param target samples `[B, m]` */
function quantileHuberLoss(predicted: tf.Tensor2D, target: tf.Tensor2D, kappa: number): tf.Scalar {
  const count = predicted.shape[1];
  const levels = tf.reshape(tf.linspace(0.5 / count, 1 - 0.5 / count, count), [1, count, 1]);
  const errors = tf.sub(tf.expandDims(target, 1), tf.expandDims(predicted, 2));
  const size = tf.abs(errors);
  const small = tf.minimum(size, kappa);
  const huber = tf.mul(small, tf.sub(size, tf.mul(small, 0.5)));
  const weights = withoutGradient((error) => tf.abs(tf.sub(levels, tf.cast(tf.less(error, 0), 'float32'))), errors);
  return tf.mean(tf.sum(tf.mean(tf.mul(weights, tf.div(huber, kappa)), 2), 1)) as tf.Scalar;
}
