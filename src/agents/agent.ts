import type { Checkpoint } from '../checkpoint/checkpointFiles.js';
import type { Transitions } from '../replay/transitions.js';
import type { Box } from '../spaces/box.js';
import type { StateDict, Stateful } from '../state.js';

/** Named numbers that describe an update: losses, temperatures, ... */
export type Metrics = Record<string, number>;

/** Options of {@link Agent.act}. */
export interface ActOptions {
  /** Whether the action is meant to gather data (default `true`) or to show what was learned. */
  explore?: boolean;
}

/**
 * What {@link train} and {@link evaluate} need of an agent.
 *
 * Subclass requirements: `state()` holds all that training changes (weights, optimiser slots, temperatures, batch
 * statistics, counters, random streams, replay), so that a restored agent goes on bit for bit; `act` with
 * `explore: false` changes nothing of it but random streams; bad arguments throw before anything changes.
 */
export interface Agent extends Stateful {
  /** A short name for plots and messages, such as `DIME`. */
  readonly name: string;
  /** Observations come as rows of `observationSpace.size` numbers. */
  readonly observationSpace: Box;
  /** Actions go in and out in this space's own units. */
  readonly actionSpace: Box;
  /** {@link train} draws the first actions, this many environment steps, uniformly from the action space. */
  readonly warmupSteps: number;
  /** Actions, `[N * actionSize]`, for N observations, `[N * observationSize]`. */
  act(observations: Float32Array, options?: ActOptions): Promise<Float32Array>;
  /** Takes in one step of all environments. */
  observe(transitions: Transitions): void;
  /** Learns what is due after one step of all environments; `{}` when nothing is. */
  update(): Promise<Metrics>;
  /** What {@link Agent.save} writes. */
  checkpoint(training?: StateDict): Promise<Checkpoint>;
  /** Writes a checkpoint to the folder `path`; `training`, the state of a training run, is kept beside the agent's own. */
  save(path: string, training?: StateDict): Promise<void>;
  /** Frees all tensors. */
  dispose(): void;
}
