import * as tf from '@tensorflow/tfjs-core';
import type { CriticCall, CriticHeads, Heads } from '../networks/criticNetwork.js';
import { repeatRows } from '../ops/repeatRows.js';
import { weighRows } from '../ops/weighRows.js';
import type { BellmanTarget, CriticObjective } from './criticObjective.js';

type Pair = [tf.Tensor1D, tf.Tensor1D];

/** Twin critics: the heads of a network, read and trained by an objective. Traceable. */
export class ActionValues {
  constructor(
    readonly heads: CriticHeads,
    readonly objective: CriticObjective,
  ) {}

  get variables() {
    return this.heads.variables;
  }

  get statistics() {
    return this.heads.statistics;
  }

  /** Whether they are trained in joint batches, as CrossQ's are: those with running statistics are, and have no target network. */
  get isJoint(): boolean {
    return Object.keys(this.statistics).length > 0;
  }

  /** Expected returns by both heads, `[B]` each, for observations `[B, O]` and actions `[B, A]`. */
  apply(observations: tf.Tensor2D, actions: tf.Tensor2D, call?: CriticCall): Pair {
    return this.values(this.heads.apply(observations, actions, call));
  }

  /**
   * The smaller value of the two as a function of actions `[B * groupSize, A]`, `groupSize` in a row for each of the
   * observations `[B, O]`; to `[B * groupSize]`.
   */
  bindMin(observations: tf.Tensor2D, groupSize: number): (actions: tf.Tensor2D) => tf.Tensor1D {
    const bound = this.heads.bind(observations, groupSize);
    return (actions) => tf.minimum(...this.values(bound(actions)));
  }

  /** As {@link bindMin} for the mean of both values. */
  bindMean(observations: tf.Tensor2D, groupSize: number): (actions: tf.Tensor2D) => tf.Tensor1D {
    const bound = this.heads.bind(observations, groupSize);
    return (actions) => tf.mul(tf.add(...this.values(bound(actions))), 0.5);
  }

  /** What critics are trained towards, from these at the next observations and actions; `[B, outputs]`. */
  target(observations: tf.Tensor2D, actions: tf.Tensor2D, bellman: BellmanTarget, call?: CriticCall): tf.Tensor2D {
    return this.objective.target(this.heads.apply(observations, actions, call), bellman);
  }

  /** As {@link target}, averaged over actions `[B * n, A]`, n in a row for each of the observations. */
  meanTarget(observations: tf.Tensor2D, actions: tf.Tensor2D, { rewards, discounts }: Omit<BellmanTarget, 'costs'>) {
    const [rows, outputs] = [observations.shape[0], this.objective.outputs];
    const count = actions.shape[0] / rows;
    const repeat = (x: tf.Tensor1D) => tf.reshape<tf.Rank.R1>(repeatRows(tf.expandDims(x, 1), count), [-1]);
    const heads = this.heads.bind(observations, count)(actions);
    const targets = this.objective.target(heads, { rewards: repeat(rewards), discounts: repeat(discounts) });
    return tf.mean<tf.Tensor2D>(tf.reshape(targets, [rows, count, outputs]), 1);
  }

  /** `criticLoss` at observations `[B, O]` and actions `[B, A]`. */
  loss(observations: tf.Tensor2D, actions: tf.Tensor2D, target: tf.Tensor2D, weights?: tf.Tensor1D) {
    return criticLoss(this.objective, this.heads.apply(observations, actions), target, weights);
  }

  /** After a step of the optimiser, as the network wants it. Traceable. */
  project(): void {
    this.heads.project();
  }

  /** Another with the same numbers, to follow this one. @throws ArgumentError as {@link CriticHeads.twin} does */
  twin(): ActionValues {
    return new ActionValues(this.heads.twin(), this.objective);
  }

  dispose(): void {
    this.heads.dispose();
  }

  private values(heads: Heads): Pair {
    return heads.map((head) => this.objective.value(head)) as Pair;
  }
}

/**
 * The loss of both heads towards one target, the mean of the first one's values, the share of the target at the ends of what
 * can be told where the objective says so, and `tdErrors` `[B]`, how far both heads' values are from the target's on average.
 *
 * @param weights how much each row counts in the gradients, `[B]`; left out: 1
 */
export function criticLoss(objective: CriticObjective, heads: Heads, target: tf.Tensor2D, weights?: tf.Tensor1D) {
  const predicted = heads.map((head) => weighRows(head, weights)) as Heads;
  const values = predicted.map((head) => objective.value(head)) as Pair;
  const ofTarget = valueOfTarget(objective, target);
  const saturation = objective.saturation?.(target);
  return {
    loss: objective.loss(predicted, target),
    value: tf.mean<tf.Scalar>(values[0]),
    ...(saturation && { saturation }),
    tdErrors: meanSize([tf.sub(values[0], ofTarget), tf.sub(values[1], ofTarget)]),
  };
}

/** Expected returns of targets, `[B]`. */
export function valueOfTarget(objective: CriticObjective, target: tf.Tensor2D): tf.Tensor1D {
  return objective.targetValue?.(target) ?? objective.value(target);
}

/** The mean of the sizes of both, `[B]`. */
export function meanSize([first, second]: Pair): tf.Tensor1D {
  return tf.mul(tf.add(tf.abs(first), tf.abs(second)), 0.5);
}
