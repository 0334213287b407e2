import * as tf from '@tensorflow/tfjs-core';
import type { CrossQCritic } from '../networks/crossQCritic.js';
import { withoutGradient } from '../ops/stopGradient.js';
import type { BellmanTarget, CriticObjective } from './criticObjective.js';

/** States with the actions taken there, `[B, O]` and `[B, A]`. */
export interface StateActions {
  observations: tf.Tensor2D;
  actions: tf.Tensor2D;
}

/**
 * CrossQ's critic loss (Bhatt et al. 2024), DIME's too: the current and the next pairs go through the critics as one batch, in
 * training mode, so that both are normalised with the statistics of both; no target network. The value is the first head's mean,
 * the saturation that of the target.
 */
export function crossQLoss(
  critic: CrossQCritic,
  objective: CriticObjective,
  now: StateActions,
  next: StateActions,
  bellman: BellmanTarget,
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
  return {
    loss: objective.loss([current, currentOfSecond], target),
    value: tf.mean<tf.Scalar>(objective.value(current)),
    saturation: objective.saturation(target),
  };
}

type Pair = [tf.Tensor2D, tf.Tensor2D];

function halves(x: tf.Tensor2D): Pair {
  return tf.split(x, 2) as Pair;
}
