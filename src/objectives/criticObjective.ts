import type * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, show } from '../errors.js';
import { type Option, option } from '../options.js';

/** What a twin critic's target is made of; `[B]` each, nothing carries a gradient. */
export interface BellmanTarget {
  rewards: tf.Tensor1D;
  /** What the next value counts: gamma (its n-th power n steps later), or 0 where the task ended. */
  discounts: tf.Tensor1D;
  /** Subtracted from the next value before it is discounted: temperature times the policy's total cost; left out: nothing. */
  costs?: tf.Tensor1D;
}

/** How the outputs of a twin critic are read and trained. Traceable. */
export interface CriticObjective {
  /** Outputs that a head needs. */
  readonly outputs: number;
  /** Expected return `[B]` from one head's outputs `[B, outputs]`. */
  value(outputs: tf.Tensor2D): tf.Tensor1D;
  /** What both heads are trained towards, from the heads' outputs at the next state; `[B, outputs]`. */
  target(next: [tf.Tensor2D, tf.Tensor2D], bellman: BellmanTarget): tf.Tensor2D;
  /** Expected return `[B]` of targets; left out: as `value`. */
  targetValue?(target: tf.Tensor2D): tf.Tensor1D;
  /** The loss of both heads, summed; a mean over rows. */
  loss(predicted: [tf.Tensor2D, tf.Tensor2D], target: tf.Tensor2D): tf.Scalar;
  /** Share in [0, 1] of the target that sits at the end of what the critic can represent; left out where nothing ends. */
  saturation?(target: tf.Tensor2D): tf.Scalar;
}

/** A {@link CriticObjective} as an option of an agent. */
export const objectiveOption: Option<CriticObjective | undefined> = option<CriticObjective>({
  doc: 'How critics are read and trained: quantileObjective(...), categoricalObjective(...) or a CriticObjective of yours.',
  allowed: 'a CriticObjective',
  defaultText: "the agent's",
  check: requireObjective,
});

/** @throws ArgumentError unless `value` has what a {@link CriticObjective} must have */
export function requireObjective(where: string, name: string, value: unknown): CriticObjective {
  const given = value as CriticObjective;
  const isWhole = (['value', 'target', 'loss'] as const).every((method) => typeof given?.[method] === 'function');
  if (isWhole && Number.isInteger(given.outputs) && given.outputs >= 1) return given;
  throw new ArgumentError(
    `${where}: ${name} must be a CriticObjective (outputs, value, target, loss) such as quantileObjective(), got ${show(value)}.`,
  );
}
