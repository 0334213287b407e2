import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../checkpoint/index.js';
import { CheckpointError, requireFinite, requireInteger, requireLength, ShapeError } from '../errors.js';
import { type ReplayBatch, ReplayBuffer } from '../replay/replayBuffer.js';
import type { Transitions } from '../replay/transitions.js';
import { Rng } from '../rng/rng.js';
import { ActionScale } from '../spaces/actionScale.js';
import type { Box } from '../spaces/box.js';
import { prefixed, type StateDict, type Stateful, stateArray, substate } from '../state.js';
import type { ActOptions, Agent, Metrics } from './agent.js';

/** The part of an environment that an agent is built for. */
export interface EnvSpaces {
  readonly observationSpace: Box;
  readonly actionSpace: Box;
}

export interface OffPolicyOptions {
  /** The environment (or its spaces); the action space must be bounded. */
  env: EnvSpaces;
  /** Fixes every random number of the agent, default 0. */
  seed?: number;
  /** Transitions in a critic update, default 256. */
  batchSize?: number;
  /** Critic updates after every step of all environments, default agent by agent. */
  updatesPerStep?: number;
  /** Uniformly random environment steps at the start, default 5000. */
  warmupSteps?: number;
  /** Transitions kept for replay, default 1,000,000. */
  bufferCapacity?: number;
  /** Discount in [0, 1), default 0.99. */
  gamma?: number;
  /**
   * Whether updates and acting run as compiled graphs, default `true`; falls back to op-by-op execution, with one
   * warning, where no ONNX Runtime is installed.
   */
  compile?: boolean;
}

/**
 * What agents that learn from replay have in common: action scaling, replay, random streams, checkpoints.
 *
 * **Subclass requirements.** `parts` names everything stateful besides replay, streams and counters; `policy` returns
 * actions in [-1, 1]; `learn` does one update on a batch of `batchSize` and counts it in `updates`.
 */
export abstract class OffPolicyAgent implements Agent {
  abstract readonly name: string;
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  readonly warmupSteps: number;
  readonly batchSize: number;
  readonly updatesPerStep: number;
  readonly replay: ReplayBuffer;
  /** Updates done so far. */
  updates = 0;
  protected readonly noise: Rng;
  private readonly sampling: Rng;
  private readonly scale: ActionScale;

  protected constructor({
    env,
    seed = 0,
    batchSize = 256,
    updatesPerStep = 1,
    warmupSteps = 5000,
    bufferCapacity,
  }: OffPolicyOptions) {
    this.observationSpace = env.observationSpace;
    this.actionSpace = env.actionSpace;
    this.scale = new ActionScale(env.actionSpace);
    this.batchSize = requireInteger('Agent', 'batchSize', batchSize, { min: 1 });
    this.updatesPerStep = requireInteger('Agent', 'updatesPerStep', updatesPerStep, { min: 1 });
    this.warmupSteps = requireInteger('Agent', 'warmupSteps', warmupSteps, { min: 0 });
    const sizes = { observationSize: this.observationSpace.size, actionSize: this.actionSpace.size };
    this.replay = new ReplayBuffer({ ...sizes, capacity: bufferCapacity });
    const rng = Rng.fromSeed(seed);
    this.noise = rng.split('noise');
    this.sampling = rng.split('replay');
  }

  /** Everything stateful by name. */
  protected abstract readonly parts: Record<string, Stateful>;

  /** Plain JSON that a checkpoint tells its reader about the agent. */
  protected abstract readonly config: Checkpoint['config'];

  /** Actions in [-1, 1], `[rows * actionSize]`, for checked observations. */
  protected abstract policy(observations: Float32Array, rows: number, options: ActOptions): Promise<Float32Array>;

  /** One update on a batch of `batchSize` transitions with actions in [-1, 1]. */
  abstract learn(batch: ReplayBatch): Promise<Metrics>;

  /**
   * @throws ShapeError unless `observations` holds one or more whole observations
   * @throws NonFiniteError for NaN or infinity
   */
  async act(observations: Float32Array, options: ActOptions = {}): Promise<Float32Array> {
    const size = this.observationSpace.size;
    const rows = observations.length / size;
    if (!(rows >= 1 && Number.isInteger(rows))) {
      throw new ShapeError(
        `${this.name}.act: observations must hold one or more rows of ${size} numbers, got ${observations.length} numbers.`,
      );
    }
    requireFinite(`${this.name}.act`, 'observations', observations);
    return this.scale.toSpace(await this.policy(observations, rows, options));
  }

  /** @throws ShapeError or NonFiniteError for transitions that do not fit; the buffer is left as it was */
  observe(transitions: Transitions): void {
    const rows = transitions.rewards.length;
    requireLength(
      `${this.name}.observe`,
      'actions',
      transitions.actions,
      rows * this.actionSpace.size,
      `${rows} transitions`,
    );
    this.replay.add({ ...transitions, actions: this.scale.fromSpace(transitions.actions) });
  }

  /** `updatesPerStep` updates, each on a slice of one draw from replay; the metrics are those of the last. */
  async update(): Promise<Metrics> {
    const draw = this.replay.sample(this.batchSize * this.updatesPerStep, this.sampling);
    let metrics: Metrics = {};
    for (let i = 0; i < this.updatesPerStep; i++) {
      metrics = { ...metrics, ...(await this.learn(this.slice(draw, i))) };
    }
    return metrics;
  }

  private slice(draw: ReplayBatch, index: number): ReplayBatch {
    const columns = Object.entries(draw).map(([name, values]) => {
      const size = values.length / this.updatesPerStep;
      return [name, values.subarray(index * size, (index + 1) * size)];
    });
    return Object.fromEntries(columns) as ReplayBatch;
  }

  async state(): Promise<StateDict> {
    const parts = Object.entries(this.allParts()).map(async ([name, part]) => prefixed(name, await part.state()));
    return Object.assign({ updates: stateArray(this.updates) }, ...(await Promise.all(parts)));
  }

  /** @throws CheckpointError if the state does not fit this agent; then nothing has changed */
  async loadState(state: StateDict): Promise<void> {
    await this.requireFits(state);
    for (const [name, part] of Object.entries(this.allParts())) await part.loadState(substate(state, name));
    this.updates = (state.updates as { data: ArrayLike<number> }).data[0] as number;
  }

  /** Writes a checkpoint with everything needed to go on; `training` is the state of a training run, kept beside it. */
  async save(path: string, training?: StateDict): Promise<void> {
    await writeCheckpoint(path, {
      kind: this.constructor.name,
      config: this.config,
      state: await this.state(),
      training,
    });
  }

  /** Loads the checkpoint `path`, saved by an agent created like this one. @throws CheckpointError as {@link loadState} */
  async restore(path: string): Promise<void> {
    const { state } = await readCheckpoint(path, this.constructor.name);
    await this.loadState(state);
  }

  abstract dispose(): void;

  private allParts(): Record<string, Stateful> {
    return { replay: this.replay, noise: this.noise, sampling: this.sampling, ...this.parts };
  }

  /** Compares `state` with the agent's own, entry by entry; the replay checks itself when it loads, before it changes. */
  private async requireFits(state: StateDict): Promise<void> {
    const own = await this.state();
    for (const [name, { shape }] of Object.entries(own)) {
      if (name.startsWith('replay/')) continue;
      const given = state[name];
      if (given && `${given.shape}` === `${shape}`) continue;
      const found = given ? `has shape [${given.shape}] instead of [${shape}]` : 'is missing';
      throw new CheckpointError(
        `${this.name}.loadState: '${name}' ${found}. Create the agent with the sizes and options that it was saved with.`,
      );
    }
  }
}
