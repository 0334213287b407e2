import * as tf from '@tensorflow/tfjs-core';
import type { Heads } from '../networks/criticNetwork.js';
import { withoutGradient } from '../ops/stopGradient.js';
import { type ActionValues, criticLoss } from './actionValues.js';
import type { BellmanTarget } from './criticObjective.js';

/** States with the actions taken there, `[B, O]` and `[B, A]`. */
export interface StateActions {
  observations: tf.Tensor2D;
  actions: tf.Tensor2D;
}

/**
 * CrossQ's critic loss (Bhatt et al. 2024), DIME's too: the current and the next pairs go through the critics as one batch, in
 * training mode, so that both are normalised with the statistics of both; no target network. Results: `criticLoss`.
 *
 * @param weights how much each row counts in the gradients, `[B]`; left out: 1
 */
export function crossQLoss(
  { heads, objective }: ActionValues,
  now: StateActions,
  next: StateActions,
  bellman: BellmanTarget,
  weights?: tf.Tensor1D,
) {
  const [first, second] = heads.apply(
    tf.concat([now.observations, next.observations]),
    tf.concat([now.actions, next.actions]),
    { training: true },
  );
  const [current, following] = tf.split(first, 2) as Heads;
  const [currentOfSecond, followingOfSecond] = tf.split(second, 2) as Heads;
  const toTarget = (...after: tf.Tensor[]) => objective.target(after as Heads, bellman);
  const target = withoutGradient(toTarget, following, followingOfSecond);
  return criticLoss(objective, [current, currentOfSecond], target, weights);
}
