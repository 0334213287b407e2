import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, requireLength, show } from '../errors.js';
import { type CriticFactory, CriticHeads, type CriticSizes, criticNetworkOption } from '../networks/criticNetwork.js';
import { ActionValues } from '../objectives/actionValues.js';
import type { CriticObjective } from '../objectives/criticObjective.js';
import { former, integer, number, type OptionValues, option } from '../options.js';
import { NStepReplay } from '../replay/nStepReplay.js';
import type { Replay, ReplayBatch, ReplayFactory } from '../replay/replay.js';
import { ReplayBuffer } from '../replay/replayBuffer.js';
import type { Transitions } from '../replay/transitions.js';
import { Rng } from '../rng/rng.js';
import type { StateArray } from '../state.js';
import type { Metrics } from './agent.js';
import { matrix, vector } from './arrays.js';
import { agentOptions, BaseAgent, type Experience } from './baseAgent.js';
import { requireTransitions } from './checks.js';
import type { Outputs, Program, TensorProgram, Tensors } from './program.js';
import { UpdateRatio } from './updateRatio.js';

/** The update-to-data ratio. */
export function updatesPerTransition(ratio: number) {
  return number(ratio, { above: 0 }, 'Gradient steps for each transition, however many environments step together.');
}

/** Steps of reward in the critics' targets. */
export function nStep(steps: number) {
  return integer(steps, { min: 1 }, 'Steps of reward in a target before the value of what follows; see NStepReplay.');
}

/** Options that all agents have that learn from replay. */
export const offPolicyOptions = {
  ...agentOptions,
  batchSize: integer(256, { min: 1 }, 'Transitions of a gradient step.'),
  updatesPerTransition: updatesPerTransition(1),
  warmupSteps: integer(5000, { min: 0 }, 'Uniformly random environment steps at the start.'),
  bufferCapacity: { ...integer(1_000_000, { min: 1 }, 'Transitions kept for replay.'), local: true },
  replay: option<ReplayFactory>({
    doc: 'What is kept and how it is drawn: prioritizedReplay(...) or one of your own; see Replay.',
    allowed: 'function of ReplayOptions to a Replay',
    defaultText: 'ReplayBuffer, uniform',
    check: (where, name, value) => {
      if (typeof value === 'function') return value as ReplayFactory;
      throw new ArgumentError(`${where}: ${name} must be a function such as prioritizedReplay(), got ${show(value)}.`);
    },
  }),
  nStep: nStep(1),
  criticNetwork: criticNetworkOption,
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
  [Column in keyof Transitions]: Column extends 'observations' | 'actions' | 'nextObservations'
    ? tf.Tensor2D
    : tf.Tensor1D;
} & {
  /** As {@link ReplayBatch}'s, where replay gives them. */
  discounts?: tf.Tensor1D | undefined;
  weights?: tf.Tensor1D | undefined;
};

/**
 * What agents that learn from replay have in common.
 *
 * **Subclass requirements.** Those of {@link BaseAgent}; `gradientStep` does one update on a batch, with the random
 * numbers of `drawNoise`, and counts it in `updates`. Its critics' targets look ahead by `discounts`, their losses count rows by the
 * batch's `weights` ({@link weighRows}), and how far they were off is among the outputs of its program by `toReplay`. What replay
 * is to keep of a decision besides its actions comes from `stored`.
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
  readonly replay: Replay = this.own('replay', this.newReplay());
  private readonly sampling = this.own('sampling', Rng.fromSeed(this.options.seed).split('replay'));
  /** What the last update told of the critics' errors, where replay wants to know. */
  private tdErrors: Float32Array | undefined;
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

  /** The network of the option `criticNetwork`, or of `network`; made from the part `critic` of `rng`. */
  protected criticHeads(
    network: CriticFactory,
    sizes: Omit<CriticSizes, 'observationSize' | 'actionSize'>,
    rng = this.networks,
  ): CriticHeads {
    const make = this.options.criticNetwork ?? network;
    return new CriticHeads({ where: this.kind, make, rng, sizes: { ...this.sizes, ...sizes } });
  }

  /** Twin critics of an objective, on the network of the option `criticNetwork` or on `network`. */
  protected valueCritic(network: CriticFactory, objective: CriticObjective, rng = this.networks): ActionValues {
    return new ActionValues(this.criticHeads(network, { outputs: objective.outputs }, rng), objective);
  }

  private newReplay(): Replay {
    const { replay: make = (sizes) => new ReplayBuffer(sizes), nStep: steps, bufferCapacity, gamma } = this.options;
    const sizes = { ...this.sizes, actionSize: this.storedSize };
    const replay = make({ ...sizes, capacity: bufferCapacity, discounts: steps > 1 });
    const missing = (['add', 'sample', 'state', 'prepare'] as const).find((m) => typeof replay?.[m] !== 'function');
    if (missing)
      throw new ArgumentError(`${this.kind}: replay must make a Replay; ${show(replay)} has no ${missing}().`);
    return steps > 1 ? new NStepReplay({ ...sizes, steps, gamma }, replay) : replay;
  }

  /** The gradient steps that are due; the metrics are those of the last. */
  protected async learnDue(): Promise<Metrics> {
    if (!this.replay.size) return {};
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
      if (batch !== undefined) this.requireBatch(`${this.name}.learn`, batch);
      return this.learnOnce(batch, noise);
    });
  }

  private requireBatch(where: string, batch: ReplayBatch): void {
    requireTransitions(where, batch, { ...this.sizes, actionSize: this.storedSize });
    for (const name of ['rewards', 'discounts', 'weights'] as const) {
      const column = batch[name];
      if (column) requireLength(where, name, column, this.batchSize, 'the batch size');
    }
  }

  private async learnOnce(given?: ReplayBatch, noise?: Noise): Promise<Metrics> {
    const batch = given ?? this.drawn();
    this.tdErrors = undefined;
    const metrics = await this.gradientStep(batch, noise ?? this.drawNoise());
    if (this.tdErrors && batch.indices) this.replay.learned?.(batch, this.tdErrors);
    return metrics;
  }

  private drawn(): ReplayBatch {
    const batch = this.replay.sample(this.batchSize, this.sampling);
    if (this.options.replay) this.requireBatch(`${this.name}: replay.sample`, batch);
    if (this.options.nStep === 1 || batch.discounts) return batch;
    throw new ArgumentError(
      `${this.name}: replay.sample gave a batch without discounts, which nStep ${this.options.nStep} needs: keep those that add() is given where ReplayOptions says discounts, or take nStep 1.`,
    );
  }

  /** A program whose outputs of {@link OffPolicyAgent.toReplay} go to replay. */
  protected override updateProgram<In extends Tensors, Out extends string>(
    program: TensorProgram<In, Out>,
  ): Program<In, Out> {
    const update = super.updateProgram(program as TensorProgram<In, Out | 'tdErrors'>);
    const run = async (inputs: Parameters<Program<In, Out>>[0]) => {
      const { tdErrors, ...outputs } = await update(inputs);
      this.tdErrors = tdErrors ?? this.tdErrors;
      return outputs as unknown as Outputs<Out>;
    };
    return Object.assign(run, { dispose: () => update.dispose() });
  }

  /**
   * What goes among the outputs of an update program, that replay is told of it: the sizes of the critics' temporal-difference
   * errors, `[B]`. Nothing where replay does not want to know.
   */
  protected toReplay(tdErrors: tf.Tensor1D): Record<never, tf.Tensor> {
    return this.replay.learned ? { tdErrors } : {};
  }

  /** What an update of critics reports (`criticLoss`). */
  protected criticResults({ loss, tdErrors, ...others }: ReturnType<ActionValues['loss']>): Record<string, tf.Tensor> {
    return { criticLoss: loss, ...others, ...this.toReplay(tdErrors) };
  }

  /** A batch as inputs of a program, {@link BatchTensors}. */
  protected batchInputs(batch: ReplayBatch): { [Column in keyof Transitions]: StateArray } {
    return {
      observations: matrix(batch.observations, this.sizes.observationSize),
      actions: matrix(batch.actions, this.storedSize),
      rewards: vector(batch.rewards),
      nextObservations: matrix(batch.nextObservations, this.sizes.observationSize),
      terminated: vector(batch.terminated),
      truncated: vector(batch.truncated),
      ...(batch.discounts && { discounts: vector(batch.discounts) }),
      ...(batch.weights && { weights: vector(batch.weights) }),
    };
  }

  /** What the next state's value counts, `[B]`: what replay says; else gamma, and 0 where the task ended. Traceable. */
  protected discounts({ terminated, discounts }: Pick<BatchTensors, 'terminated' | 'discounts'>): tf.Tensor1D {
    return discounts ?? tf.mul(tf.sub(1, terminated), this.options.gamma);
  }
}
