import type { Box } from '../spaces/box.js';
import type { Commit, MaybePromise, StateDict, Stateful } from '../state.js';

/** Extra facts about a step, by name. */
export type Info = Record<string, unknown>;

/** What {@link Env.reset} returns. */
export interface ResetResult {
  /** `[observationSpace.size]`; the caller may keep it, the environment must not write to it again. */
  observation: Float32Array;
  info: Info;
}

/** What {@link Env.step} returns. */
export interface StepResult {
  /** The true successor, `[observationSpace.size]`; the caller may keep it. */
  observation: Float32Array;
  /** Of this step. */
  reward: number;
  /** The task itself ended: the value of `observation` is zero. */
  terminated: boolean;
  /** The episode was cut (a time limit): the value of `observation` still counts. */
  truncated: boolean;
  info: Info;
}

/**
 * One environment, after Gymnasium 1.x with named fields. Results may be promises.
 *
 * Subclass requirements: `reset` comes before the first `step` and after every step that terminated or truncated;
 * a given `seed` fixes everything random that follows, until the next seed; without one the stream goes on.
 * Returned observations are fresh arrays. Check an implementation with {@link checkEnv}.
 *
 * @example
 * ```ts
 * class Walk implements Env {
 *   readonly observationSpace = Box.uniform(1);
 *   readonly actionSpace = Box.uniform(1, -1, 1);
 *   private x = 0;
 *   reset() { this.x = 0; return { observation: Float32Array.of(0), info: {} }; }
 *   step(action: Float32Array) {
 *     this.x += action[0]!;
 *     return { observation: Float32Array.of(this.x), reward: -Math.abs(this.x - 3), terminated: false, truncated: false, info: {} };
 *   }
 * }
 * ```
 */
export interface Env {
  /** A name for messages and plots, such as `HalfCheetah-v5`. */
  readonly id?: string | undefined;
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  /** Starts an episode. */
  reset(options?: { seed?: number }): MaybePromise<ResetResult>;
  /** Applies `action`, `[actionSpace.size]`, in the action space's own units. */
  step(action: Float32Array): MaybePromise<StepResult>;
  /** Everything that decides the future, so that a resumed run is bit-exact. Without it a resumed run starts a new episode. */
  state?(): MaybePromise<StateDict>;
  /** Checks what {@link Env.state} returned; the function that comes back puts it in place. See `Stateful`. */
  prepare?(state: StateDict): MaybePromise<Commit>;
  /** What outlives the episodes of one without state, such as moments: a resumed run goes on with it, in a new episode. */
  readonly memory?: Stateful | undefined;
  /** Frees what the environment holds; further calls are errors. */
  close?(): MaybePromise<void>;
}
