import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../checkpoint/index.js';
import type { EngineOptions } from '../compile/engine.js';
import { CheckpointError, requireFinite, ShapeError } from '../errors.js';
import type { Transitions } from '../replay/transitions.js';
import { Rng } from '../rng/rng.js';
import { ActionScale } from '../spaces/actionScale.js';
import type { Box } from '../spaces/box.js';
import {
  asCount,
  type Commit,
  loadState,
  readEntries,
  type StateDict,
  type Stateful,
  stateArray,
  together,
} from '../state.js';
import type { ActOptions, Agent, Decision, Metrics } from './agent.js';

import type { EnvSpaces } from './baseAgent.js';

export interface BaseAgentOptions {
  /** The environment (or its spaces); the action space must be bounded. */
  env: EnvSpaces;
  /** Fixes every random number of the agent, default 0. */
  seed?: number;
  /** Discount in [0, 1), default 0.99. */
  gamma?: number;
  /**
   * Whether updates and acting run as compiled graphs, default `true`; falls back to op-by-op execution, with one
   * warning, where no ONNX Runtime is installed. Options say on what they run: a device, threads, a runtime that the page
   * or Worker has imported.
   */
  compile?: boolean | EngineOptions;
}

/**
 * What all agents have in common: checked observations, action scaling, a stream of noise, checkpoints.
 *
 * **Subclass requirements.** `parts` names everything stateful besides `noise` and `updates`; `policy` returns actions in
 * [-1, 1]; every gradient step is counted in `updates`.
 */
export abstract class BaseAgent implements Agent {
  abstract readonly name: string;
  abstract readonly warmupSteps: number;
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  /** Updates done so far. */
  updates = 0;
  /** The stream of all noise that is drawn in acting and learning; part of the state. */
  protected readonly noise: Rng;
  /** Between the action space's own units and [-1, 1]. */
  protected readonly scale: ActionScale;

  protected constructor({ env, seed = 0 }: BaseAgentOptions) {
    this.observationSpace = env.observationSpace;
    this.actionSpace = env.actionSpace;
    this.scale = new ActionScale(env.actionSpace);
    this.noise = Rng.fromSeed(seed).split('noise');
  }

  /** Everything stateful by name. */
  protected abstract readonly parts: Record<string, Stateful>;

  /** Plain JSON that a checkpoint tells its reader about the agent. */
  abstract readonly config: Checkpoint['config'];

  get kind(): string {
    return this.constructor.name;
  }

  /** Actions in [-1, 1], `[rows * actionSize]`, for checked observations. */
  protected abstract policy(observations: Float32Array, rows: number, options: ActOptions): Promise<Float32Array>;

  abstract observe(transitions: Transitions, decision: Decision | null): void;
  abstract update(): Promise<Metrics>;
  abstract dispose(): void;

  /**
   * @throws ShapeError unless `observations` holds one or more whole observations
   * @throws NonFiniteError for NaN or infinity
   */
  async act(observations: Float32Array, options: ActOptions = {}): Promise<Decision> {
    const size = this.observationSpace.size;
    const rows = observations.length / size;
    if (!(rows >= 1 && Number.isInteger(rows))) {
      throw new ShapeError(
        `${this.name}.act: observations must hold one or more rows of ${size} numbers, got ${observations.length} numbers.`,
      );
    }
    requireFinite(`${this.name}.act`, 'observations', observations);
    return { actions: this.scale.toSpace(await this.policy(observations, rows, options)) };
  }

  async state(): Promise<StateDict> {
    return { updates: stateArray(this.updates), ...(await together(this.allParts()).state()) };
  }

  /** @throws CheckpointError if the state does not fit this agent */
  async prepare({ updates, ...state }: StateDict): Promise<Commit> {
    const entries = readEntries(updates ? { updates } : {}, { updates: 1 });
    const count = asCount(entries.updates, 'updates');
    const parts = await this.preparedParts(state);
    return async () => {
      await parts();
      this.updates = count;
    };
  }

  /** Writes a checkpoint with everything needed to go on; `training` is the state of a training run, kept beside it. */
  async save(path: string, training?: StateDict): Promise<void> {
    await writeCheckpoint(path, await this.checkpoint(training));
  }

  /** What {@link save} writes, for whatever else keeps it: {@link encodeCheckpoint}, a page's storage. */
  async checkpoint(training?: StateDict): Promise<Checkpoint> {
    const state = { updates: stateArray(this.updates), ...(await together(this.allParts()).snapshot()) };
    return { kind: this.kind, config: this.config, state, training };
  }

  /** Loads the checkpoint `path`, saved by an agent created like this one. @throws CheckpointError if it does not fit; then nothing has changed */
  async restore(path: string): Promise<void> {
    const { state } = await readCheckpoint(path, this.constructor.name);
    await loadState(this, state);
  }

  /** `parts` and what this class adds to them: all that `state` saves. */
  protected allParts(): Record<string, Stateful> {
    return { noise: this.noise, ...this.parts };
  }

  private async preparedParts(state: StateDict): Promise<Commit> {
    try {
      return await together(this.allParts()).prepare(state);
    } catch (cause) {
      if (!(cause instanceof CheckpointError)) throw cause;
      throw new CheckpointError(
        `${this.name}: ${cause.message} Create the agent with the sizes and options that it was saved with.`,
        { cause },
      );
    }
  }
}
