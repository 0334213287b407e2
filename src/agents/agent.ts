import type { Checkpoint } from '../checkpoint/checkpointFiles.js';
import type { ObservedTransitions } from '../replay/transitions.js';
import type { Rng } from '../rng/rng.js';
import type { Box } from '../spaces/box.js';
import type { StateDict, Stateful } from '../state.js';

/** Named numbers that describe an update: losses, temperatures, ... */
export type Metrics = Record<string, number>;

/** Options of {@link Agent.act}. */
export interface ActOptions {
  /** Whether the action is meant to gather data (default `true`) or to show what was learned. */
  explore?: boolean;
  /**
   * With `explore: false`, a stream of random numbers for each observation, so that the same streams give the same actions;
   * by default a stream of the agent that nothing else draws from.
   */
  noise?: readonly Rng[];
}

/** The part of an environment that an agent is built for. */
export interface EnvSpaces {
  readonly observationSpace: Box;
  /** Bounded on all sides. */
  readonly actionSpace: Box;
}

/** What an agent chose to do. An agent may remember more of it; {@link Agent.observe} gives it back. */
export interface Decision {
  /** `[N * actionSize]`, in the action space's own units. */
  readonly actions: Float32Array;
}

/**
 * What {@link train} and {@link evaluate} need of an agent.
 *
 * Subclass requirements: `state()` holds all that training changes (weights, optimiser slots, temperatures, batch
 * statistics, counters, random streams, replay), so that a restored agent goes on bit for bit; `act` with
 * `explore: false` changes nothing of it; bad arguments throw before anything changes.
 */
export interface Agent extends Stateful {
  /** A short name for plots and messages, such as `DIME`. */
  readonly name: string;
  /** What checkpoints call it, such as `DimeAgent`; one of another kind is not loaded. */
  readonly kind: string;
  /** How it was made, as plain JSON: its options by name; one with other options is not loaded. */
  readonly config: Checkpoint['config'];
  /** Observations come as rows of `observationSpace.size` numbers. */
  readonly observationSpace: Box;
  /** Actions go in and out in this space's own units. */
  readonly actionSpace: Box;
  /** {@link train} draws the first actions, this many environment steps, uniformly from the action space. */
  readonly warmupSteps: number;
  /** What to do about N observations, `[N * observationSize]`. */
  act(observations: Float32Array, options?: ActOptions): Promise<Decision>;
  /**
   * Takes in one step of all environments.
   *
   * @param decision what {@link Agent.act} returned for these observations, or `null` if somebody else chose the actions, so
   *   that no update becomes due. Left out: the agent's own actions, but nothing that it may remember of the choice
   */
  observe(transitions: ObservedTransitions, decision?: Decision | null): void;
  /** Learns what is due since the last call; `{}` when nothing is. */
  update(): Promise<Metrics>;
  /** What {@link Agent.save} writes. */
  checkpoint(training?: StateDict): Promise<Checkpoint>;
  /** Writes a checkpoint to the folder `path`; `training`, the state of a training run, is kept beside the agent's own. */
  save(path: string, training?: StateDict): Promise<void>;
  /** Frees all tensors. */
  dispose(): void;
}
