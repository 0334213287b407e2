import type { Rng } from '../rng/rng.js';
import type { Stateful } from '../state.js';
import type { ObservedTransitions, Transitions } from './transitions.js';

/** Transitions that may say themselves what the next state's value counts. */
export interface DiscountedTransitions extends ObservedTransitions {
  /** `[N]`, 0 where the task ended. */
  discounts?: Float32Array;
}

/** A batch of transitions, ready to become tensors: everything is float32, flags are 0 or 1. */
export interface ReplayBatch extends Record<keyof Transitions, Float32Array> {
  /** `[B]`, what the next state's value counts; left out: gamma, and 0 where the task ended. */
  discounts?: Float32Array | undefined;
  /** `[B]`, how much each row counts in the critics' gradients; left out: 1. */
  weights?: Float32Array | undefined;
  /** `[B]`, where the transitions lie, for {@link Replay.learned} to know them by. */
  indices?: Int32Array | undefined;
}

/**
 * What agents keep of what they have seen, and learn from.
 *
 * **Subclass requirements.** `sample` takes all random numbers from `rng`; `state` holds whatever it depends on besides, so
 * that a restored replay goes on bit for bit; a call that throws has changed nothing.
 * The guide to extending has one of 20 lines.
 */
export interface Replay extends Stateful {
  /** Transitions that can be drawn now. */
  readonly size: number;
  /** Takes in one step of N environments, but for those that were lost. */
  add(transitions: DiscountedTransitions): unknown;
  /** `batchSize` transitions; called only where there are any. */
  sample(batchSize: number, rng: Rng): ReplayBatch;
  /**
   * Where there is such a method, agents tell how far their critics were from the targets of a batch that `sample` gave.
   *
   * @param tdErrors `[B]`, sizes of the temporal-difference errors, >= 0
   */
  learned?: ((batch: ReplayBatch, tdErrors: Float32Array) => void) | undefined;
  /**
   * Where there is such a method, agents can put other actions in place of those of a batch that `sample` gave; DIPO does.
   *
   * @param actions `[B * actionSize]`; of a transition that is in the batch more than once the last ones count
   */
  rewriteActions?: ((batch: ReplayBatch, actions: Float32Array) => void) | undefined;
}

/** What a replay is made for. */
export interface ReplayOptions {
  observationSize: number;
  actionSize: number;
  /** Transitions kept; when it is full, the oldest go first. Default 1,000,000. */
  capacity?: number;
  /** Whether transitions come with discounts of their own, as those of n steps do. Default `false`. */
  discounts?: boolean;
}

/** Makes the replay of an agent. */
export type ReplayFactory = (options: Required<ReplayOptions>) => Replay;
