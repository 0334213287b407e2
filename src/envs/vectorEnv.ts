import type { Box } from '../spaces/box.js';
import type { Commit, MaybePromise, StateDict, Stateful } from '../state.js';
import type { Info } from './env.js';

/** What {@link VectorEnv.reset} returns. */
export interface VectorReset {
  /** `[numEnvs * observationSize]`, one environment after the other. */
  observations: Float32Array;
  infos: Info[];
}

/** What {@link VectorEnv.step} returns; all arrays are the caller's to keep. */
export interface VectorStep {
  /** What to act on next, `[numEnvs * observationSize]`: the successor, or a new episode's start where one ended. */
  observations: Float32Array;
  /** The true successors, `[numEnvs * observationSize]`, also where an episode ended. */
  nextObservations: Float32Array;
  /** `[numEnvs]` */
  rewards: Float32Array;
  /** `[numEnvs]`, 1 where the task itself ended. */
  terminated: Uint8Array;
  /** `[numEnvs]`, 1 where the episode was cut. */
  truncated: Uint8Array;
  infos: Info[];
}

/**
 * Several environments that step together. An episode that ends is reset in the same step, so that every call of
 * `step` yields `numEnvs` usable transitions (Gymnasium's same-step autoreset, with the true successor named).
 */
export interface VectorEnv {
  /** A name for messages and plots. */
  readonly id?: string | undefined;
  /** How many environments there are, at least 1. */
  readonly numEnvs: number;
  /** The space of one environment. */
  readonly observationSpace: Box;
  /** The space of one environment. */
  readonly actionSpace: Box;
  /** Starts all episodes; environment i is seeded with a stream that depends on `seed` and i only. */
  reset(options?: { seed?: number }): MaybePromise<VectorReset>;
  /** Applies `actions`, `[numEnvs * actionSize]`. */
  step(actions: Float32Array): MaybePromise<VectorStep>;
  /** See `Env.state`; present only if every environment has it. */
  state?(): MaybePromise<StateDict>;
  /** See `Env.prepare`. */
  prepare?(state: StateDict): MaybePromise<Commit>;
  /** See `Env.memory`; of those that have one. */
  readonly memory?: Stateful | undefined;
  /** Frees what the environments hold; further calls are errors. */
  close?(): MaybePromise<void>;
}
