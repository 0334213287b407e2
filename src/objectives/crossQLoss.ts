import * as tf from '@tensorflow/tfjs-core';
import type { CrossQCritic } from '../networks/crossQCritic.js';
import { withoutGradient } from '../ops/stopGradient.js';
import { weighRows } from '../ops/weighRows.js';
import type { BellmanTarget, CriticObjective } from './criticObjective.js';
import { meanSize } from './twinLoss.js';

/** States with the actions taken there, `[B, O]` and `[B, A]`. */
export interface StateActions {
  observations: tf.Tensor2D;
  actions: tf.Tensor2D;
}

/**
 * CrossQ's critic loss (Bhatt et al. 2024), DIME's too: the current and the next pairs go through the critics as one batch, in
 * training mode, so that both are normalised with the statistics of both; no target network. The value is the first head's mean,
 * the saturation that of the target, `tdErrors` `[B]` how far both heads' values are from the target's on average.
 *
 * @param weights how much each row counts in the gradients, `[B]`; left out: 1
 */
export function crossQLoss(
  critic: CrossQCritic,
  objective: CriticObjective,
  now: StateActions,
  next: StateActions,
  bellman: BellmanTarget,
  weights?: tf.Tensor1D,
) {
  const [first, second] = critic.apply(
    tf.concat([now.observations, next.observations]),
    tf.concat([now.actions, next.actions]),
    true,
  );
  const [current, following] = halves(first);
  const [currentOfSecond, followingOfSecond] = halves(second);
  const toTarget = (...heads: tf.Tensor[]) => objective.target(heads as Pair, bellman);
  const target = withoutGradient(toTarget, following, followingOfSecond);
  const predicted: Pair = [weighRows(current, weights), weighRows(currentOfSecond, weights)];
  const values = predicted.map((head) => objective.value(head)) as [tf.Tensor1D, tf.Tensor1D];
  const targetValue = objective.targetValue?.(target) ?? objective.value(target);
  return {
    loss: objective.loss(predicted, target),
    value: tf.mean<tf.Scalar>(values[0]),
    saturation: objective.saturation(target),
    tdErrors: meanSize([tf.sub(values[0], targetValue), tf.sub(values[1], targetValue)]),
  };
}

type Pair = [tf.Tensor2D, tf.Tensor2D];

function halves(x: tf.Tensor2D): Pair {
  return tf.split(x, 2) as Pair;
}
