import * as tf from '@tensorflow/tfjs-core';
import type { Heads } from '../networks/criticNetwork.js';
import { withoutGradient } from '../ops/stopGradient.js';
import { type ActionValues, criticLoss } from './actionValues.js';
import type { BellmanTarget } from './criticObjective.js';

/** States with the actions (or latents) taken there. */
export interface StateActions {
  /** `[B, O]` */
  observations: tf.Tensor2D;
  /** `[B, A]` */
  actions: tf.Tensor2D;
  /** `[B]`, diffusion steps where critics value latents. */
  step?: tf.Tensor1D;
}

/**
 * CrossQ's critics (Bhatt et al. 2024), DIME's too: the current and the next pairs go through them as one batch, in
 * training mode, so that both are normalised with the statistics of both; no target network.
 *
 * @returns the outputs of both heads for the current pairs, and the target from those for the next, without gradient
 */
function crossQHeads(
  { heads, objective }: ActionValues,
  now: StateActions,
  next: StateActions,
  bellman: BellmanTarget,
): { predicted: Heads; target: tf.Tensor2D } {
  const step = now.step && next.step && { step: tf.concat([now.step, next.step]) };
  const [first, second] = heads.apply(
    tf.concat([now.observations, next.observations]),
    tf.concat([now.actions, next.actions]),
    { ...step, training: true },
  );
  const [current, following] = tf.split(first, 2) as Heads;
  const [currentOfSecond, followingOfSecond] = tf.split(second, 2) as Heads;
  const toTarget = (...after: tf.Tensor[]) => objective.target(after as Heads, bellman);
  return {
    predicted: [current, currentOfSecond],
    target: withoutGradient(toTarget, following, followingOfSecond),
  };
}

/**
 * What critics say of the current pairs and what they are trained towards, to be called where gradients are taken: the target is
 * that of `lagging` critics at the next pairs, or without them that of {@link crossQHeads}.
 */
export function bootstrap(
  critic: ActionValues,
  lagging: ActionValues | undefined,
  now: StateActions,
  next: StateActions,
  bellman: BellmanTarget,
): () => { predicted: Heads; target: tf.Tensor2D } {
  const call = ({ step }: StateActions) => (step ? { step } : {});
  const target = lagging?.target(next.observations, next.actions, bellman, call(next));
  return () =>
    target
      ? { predicted: critic.heads.apply(now.observations, now.actions, call(now)), target }
      : crossQHeads(critic, now, next, bellman);
}

/**
 * The loss of {@link crossQHeads}. Results: `criticLoss`.
 *
 * @param weights how much each row counts in the gradients, `[B]`; left out: 1
 */
export function crossQLoss(
  critic: ActionValues,
  now: StateActions,
  next: StateActions,
  bellman: BellmanTarget,
  weights?: tf.Tensor1D,
) {
  const { predicted, target } = crossQHeads(critic, now, next, bellman);
  return criticLoss(critic.objective, predicted, target, weights);
}
