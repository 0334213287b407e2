import { requireInteger, requireLength } from '../errors.js';
import { type ReplayBatch, ReplayBuffer } from '../replay/replayBuffer.js';
import type { Transitions } from '../replay/transitions.js';
import { Rng } from '../rng/rng.js';
import type { Stateful } from '../state.js';
import type { Decision, Metrics } from './agent.js';
import { BaseAgent, type BaseAgentOptions } from './legacyBaseAgent.js';

export interface OffPolicyOptions extends BaseAgentOptions {
  /** Transitions in a critic update >= 1, default 256. */
  batchSize?: number;
  /** Critic updates after every step of all environments >= 1, default agent by agent. */
  updatesPerStep?: number;
  /** Uniformly random environment steps at the start >= 0, default 5000. */
  warmupSteps?: number;
  /** Transitions kept for replay, default 1,000,000. */
  bufferCapacity?: number;
}

/**
 * What agents that learn from replay have in common.
 *
 * **Subclass requirements.** Those of {@link BaseAgent}; `learn` does one update on a batch of `batchSize` and counts it in
 * `updates`.
 */
export abstract class OffPolicyAgent extends BaseAgent {
  readonly warmupSteps: number;
  /** Transitions in a critic update. */
  readonly batchSize: number;
  /** Calls of `learn` in one `update`. */
  readonly updatesPerStep: number;
  /** The transitions seen so far, with actions in [-1, 1]. */
  readonly replay: ReplayBuffer;
  private readonly sampling: Rng;

  /** @param storedActionSize numbers kept of an action, see `stored`; default: those of the action space */
  protected constructor(options: OffPolicyOptions, storedActionSize = options.env.actionSpace.size) {
    super(options);
    const { seed = 0, batchSize = 256, updatesPerStep = 1, warmupSteps = 5000, bufferCapacity } = options;
    this.batchSize = requireInteger('Agent', 'batchSize', batchSize, { min: 1 });
    this.updatesPerStep = requireInteger('Agent', 'updatesPerStep', updatesPerStep, { min: 1 });
    this.warmupSteps = requireInteger('Agent', 'warmupSteps', warmupSteps, { min: 0 });
    const sizes = { observationSize: this.observationSpace.size, actionSize: storedActionSize };
    this.replay = new ReplayBuffer({ ...sizes, capacity: bufferCapacity });
    this.sampling = Rng.fromSeed(seed).split('replay');
  }

  /** One update on a batch of `batchSize` transitions with actions in [-1, 1]. */
  abstract learn(batch: ReplayBatch): Promise<Metrics>;

  /** @throws ShapeError or NonFiniteError for transitions that do not fit; the buffer is left as it was */
  observe(transitions: Transitions, _decision: Decision | null): void {
    const rows = transitions.rewards.length;
    requireLength(
      `${this.name}.observe`,
      'actions',
      transitions.actions,
      rows * this.actionSpace.size,
      `${rows} transitions`,
    );
    this.replay.add({ ...transitions, actions: this.stored(this.scale.fromSpace(transitions.actions)) });
  }

  /** What replay keeps of actions in [-1, 1], rows of as many numbers as the constructor was told. */
  protected stored(actions: Float32Array): Float32Array {
    return actions;
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

  protected override allParts(): Record<string, Stateful> {
    return { replay: this.replay, sampling: this.sampling, ...super.allParts() };
  }
}
