import * as tf from '@tensorflow/tfjs-core';
import { requireLength } from '../errors.js';
import { former, integer, number, type OptionValues } from '../options.js';
import { type ReplayBatch, ReplayBuffer } from '../replay/replayBuffer.js';
import { Rng } from '../rng/rng.js';
import type { StateArray } from '../state.js';
import type { Metrics } from './agent.js';
import { matrix, vector } from './arrays.js';
import { agentOptions, BaseAgent, type Experience } from './baseAgent.js';
import { requireTransitions } from './checks.js';
import { UpdateRatio } from './updateRatio.js';

/** The update-to-data ratio. */
export function updatesPerTransition(ratio: number) {
  return number(ratio, { above: 0 }, 'Gradient steps for each transition, however many environments step together.');
}

/** Options that all agents have that learn from replay. */
export const offPolicyOptions = {
  ...agentOptions,
  batchSize: integer(256, { min: 1 }, 'Transitions of a gradient step.'),
  updatesPerTransition: updatesPerTransition(1),
  warmupSteps: integer(5000, { min: 0 }, 'Uniformly random environment steps at the start.'),
  bufferCapacity: { ...integer(1_000_000, { min: 1 }, 'Transitions kept for replay.'), local: true },
  updatesPerStep: former(
    number(
      undefined,
      { above: 0 },
      'Gradient steps for each step of all environments together, in place of updatesPerTransition.',
    ),
  ),
};

type OffPolicyValues = OptionValues<typeof offPolicyOptions>;

/** A batch as a program sees it; all `[B, ...]`. */
export type BatchTensors = {
  [Column in keyof ReplayBatch]: Column extends 'observations' | 'actions' | 'nextObservations'
    ? tf.Tensor2D
    : tf.Tensor1D;
};

/**
 * What agents that learn from replay have in common.
 *
 * **Subclass requirements.** Those of {@link BaseAgent}; `gradientStep` does one update on a batch, with the random
 * numbers of `drawNoise`, and counts it in `updates`. What replay is to keep of a decision besides its actions comes from
 * `stored`.
 */
export abstract class OffPolicyAgent<
  Options extends OffPolicyValues,
  Noise = undefined,
  Memory = never,
> extends BaseAgent<Options, Memory> {
  /** {@link train} draws the first actions, this many environment steps, uniformly from the action space. */
  readonly warmupSteps = this.options.warmupSteps;
  /** Transitions of a gradient step. */
  readonly batchSize = this.options.batchSize;
  /** The transitions seen so far, with actions in [-1, 1]. */
  readonly replay = this.own(
    'replay',
    new ReplayBuffer({ ...this.sizes, actionSize: this.storedSize, capacity: this.options.bufferCapacity }),
  );
  private readonly sampling = this.own('sampling', Rng.fromSeed(this.options.seed).split('replay'));
  private readonly due = this.own(
    'due',
    new UpdateRatio(this.options.updatesPerStep ?? this.options.updatesPerTransition),
  );

  /** One gradient step. */
  protected abstract gradientStep(batch: ReplayBatch, noise: Noise): Promise<Metrics>;

  /** The random numbers of the next gradient step. */
  protected abstract drawNoise(): Noise;

  /** Numbers that replay keeps of an action. */
  protected get storedSize(): number {
    return this.sizes.actionSize;
  }

  /** What replay keeps of the actions, `[N * storedSize]`. */
  protected stored({ transitions }: Experience<Memory>): Float32Array {
    return transitions.actions;
  }

  protected experience(experience: Experience<Memory>): void {
    const { transitions, isOwn } = experience;
    this.replay.add({ ...transitions, actions: this.stored(experience) });
    if (isOwn) this.due.add(this.options.updatesPerStep === undefined ? transitions.rewards.length : 1);
  }

  /** The gradient steps that are due; the metrics are those of the last. */
  protected async learnDue(): Promise<Metrics> {
    let metrics: Metrics = {};
    for (let steps = this.due.take(); steps > 0; steps--) metrics = { ...metrics, ...(await this.learnOnce()) };
    return metrics;
  }

  /**
   * One gradient step, whatever is due: on `batch` or a draw from replay, with `noise` or random numbers of the agent.
   *
   * @throws NonFiniteError if a loss or gradient is not finite; then no parameter has changed
   */
  learn(batch?: ReplayBatch, noise?: Noise): Promise<Metrics> {
    return this.learning('learn', async () => {
      if (batch !== undefined) this.requireBatch(batch);
      return this.learnOnce(batch, noise);
    });
  }

  private requireBatch(batch: ReplayBatch): void {
    const where = `${this.name}.learn`;
    requireTransitions(where, batch, { ...this.sizes, actionSize: this.storedSize });
    requireLength(where, 'rewards', batch.rewards, this.batchSize, 'the batch size');
  }

  private learnOnce(batch = this.replay.sample(this.batchSize, this.sampling), noise = this.drawNoise()) {
    return this.gradientStep(batch, noise);
  }

  /** A batch as inputs of a program, {@link BatchTensors}. */
  protected batchInputs(batch: ReplayBatch): { [Column in keyof ReplayBatch]: StateArray } {
    return {
      observations: matrix(batch.observations, this.sizes.observationSize),
      actions: matrix(batch.actions, this.storedSize),
      rewards: vector(batch.rewards),
      nextObservations: matrix(batch.nextObservations, this.sizes.observationSize),
      terminated: vector(batch.terminated),
      truncated: vector(batch.truncated),
    };
  }

  /** What the next state's value counts, `[B]`: gamma, or 0 where the task ended. Traceable. */
  protected discounts(terminated: tf.Tensor1D): tf.Tensor1D {
    return tf.mul(tf.sub(1, terminated), this.options.gamma);
  }
}
