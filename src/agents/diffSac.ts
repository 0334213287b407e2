import * as tf from '@tensorflow/tfjs-core';
import type { DiffusionSampler } from '../diffusion/diffusionSampler.js';
import { dmerlSampler } from '../diffusion/dmerl.js';
import { LatentValue } from '../networks/latentValue.js';
import { sacStepLoss } from '../objectives/sacStepLoss.js';
import { type StepBatch, stepBatch, stepLogRatio } from '../objectives/stepBatch.js';
import { TemperatureControl } from '../objectives/temperatureControl.js';
import { Adam } from '../ops/adam.js';
import { moveTowards } from '../ops/ema.js';
import { logNormal } from '../ops/gaussian.js';
import { lossAndGradients } from '../ops/gradients.js';
import { repeatRows } from '../ops/repeatRows.js';
import { variablesAsState } from '../ops/variables.js';
import type { ReplayBatch } from '../replay/replayBuffer.js';
import type { Transitions } from '../replay/transitions.js';
import { Rng } from '../rng/rng.js';
import type { Stateful } from '../state.js';
import type { ActOptions, Decision, Metrics } from './agent.js';
import { matrix, vector } from './arrays.js';
import { ChainActor } from './chainActor.js';
import { checkedSacOptions, type DiffSacOptions } from './diffSacOptions.js';
import type { ExportableAgent, PolicyGraph } from './exportOnnx.js';
import { OffPolicyAgent } from './legacyOffPolicyAgent.js';
import { type Compiler, type Program, selectCompiler } from './legacyProgram.js';
import { ReplayedLatents } from './replayedLatents.js';
import { forwardKlLosses, type RowLosses, type SampledSteps, sampledFrom, select } from './sampledSteps.js';
import { StepCounter } from './stepCounter.js';
import { TrustRegion } from './trustRegion.js';

/** Random numbers of one update; R is batch size times group size. */
export interface DiffSacNoise {
  /** {@link DiffusionSampler.noiseShape} for the simulated chains: R of them, then one for each successor. */
  chain: Float32Array;
  /** `[R]`, diffusion steps, generation order. */
  step: Float32Array;
  /** `[R, A]`, standard normal like the following. */
  critic: Float32Array;
  /** `[R, A]` */
  actor: Float32Array;
  /** `[B, A]` */
  start: Float32Array;
}

type UpdateInput = keyof ReplayBatch | keyof DiffSacNoise;
type UpdateOutput = 'criticLoss' | 'value' | 'actorLoss' | 'runCost' | 'entropyBound' | 'temperature' | 'chainKl';
type Tensors = Record<UpdateInput, tf.Tensor>;

/**
 * DiffSAC (Sanokowski et al. 2025): soft actor-critic on the augmented MDP. A twin critic U(s, x, k) values latents at
 * every diffusion step, up to Q(s, a) for the action itself, and an actor update differentiates a single
 * reparametrised transition of the chain for each row: its memory does not grow with K.
 *
 * **Subclass requirements.** Those of {@link OffPolicyAgent}; `actorLoss` may be overridden, as {@link DiffWpoAgent} does.
 *
 * @example
 * ```ts
 * const agent = await DiffSacAgent.create({ env, sampler: dmerlSampler({ steps: 16 }) });
 * await train({ agent, env, steps: 100_000 });
 * ```
 */
export class DiffSacAgent extends OffPolicyAgent implements ExportableAgent {
  readonly name: string = 'DiffSAC';
  readonly sampler: DiffusionSampler;
  protected readonly parts: Record<string, Stateful>;
  readonly config;
  /** Whether the actor loss is right for the diffusion coefficient too. */
  protected readonly trainsDiffusion: boolean = true;

  private readonly options;
  private readonly critic: LatentValue;
  private readonly target: LatentValue;
  private readonly temperature: TemperatureControl;
  private readonly trustRegion?: TrustRegion;
  private readonly actorAdam: Adam;
  private readonly criticAdam: Adam;
  private readonly steps = new StepCounter();
  private readonly replayedLatents: ReplayedLatents | undefined;

  private readonly chainActor: ChainActor;
  private readonly updateProgram: Program<UpdateInput, UpdateOutput>;

  /**
   * Builds the networks; sizes are read from `env`.
   *
   * @throws ArgumentError for an option out of range or an unbounded action space
   */
  static async create(options: DiffSacOptions): Promise<DiffSacAgent> {
    return new DiffSacAgent(options, await selectCompiler(options.compile));
  }

  protected constructor(options: DiffSacOptions, compiler: Compiler) {
    const sampler = options.sampler ?? dmerlSampler();
    const { steps } = sampler.schedule;
    const actionSize = options.env.actionSpace.size;
    super(options, options.latents === 'replay' ? actionSize * (steps + 1) : actionSize);
    this.options = checkedSacOptions(options);
    const { seed = 0 } = options;
    const { criticHidden, actorLearningRate, criticLearningRate } = this.options;

    const rng = Rng.fromSeed(seed).split('networks');
    const sizes = { observationSize: this.observationSpace.size, actionSize };
    this.sampler = sampler.build(rng.split('actor'), sizes);
    const critic = () =>
      new LatentValue(rng.split('critic'), { ...sizes, levels: steps + 1, heads: 2, hidden: criticHidden });
    this.critic = critic();
    this.target = critic();
    this.temperature = new TemperatureControl(options.temperature ?? { automatic: {} }, actionSize);
    if (options.trustRegion) this.trustRegion = new TrustRegion(sampler, options.trustRegion);
    if (options.latents === 'replay') this.replayedLatents = new ReplayedLatents(sampler, this.noise.split('latents'));
    this.actorAdam = new Adam(sampler.variables, { learningRate: actorLearningRate });
    this.criticAdam = new Adam(this.critic.variables, { learningRate: criticLearningRate });
    this.parts = {
      actor: variablesAsState(sampler.variables),
      critic: variablesAsState(this.critic.variables),
      target: variablesAsState(this.target.variables),
      temperature: this.temperature,
      actorAdam: this.actorAdam,
      criticAdam: this.criticAdam,
      steps: this.steps,
      ...(this.trustRegion && { trustRegion: this.trustRegion }),
      ...(this.replayedLatents && { latents: this.replayedLatents }),
    };
    this.config = {
      seed,
      steps,
      gamma: this.options.gamma,
      sampler: sampler.constructor.name,
      criticHidden: [...criticHidden],
    };

    this.chainActor = new ChainActor(sampler, this.options.evaluation, compiler as never);
    this.updateProgram = compiler((inputs) => this.updateStep(inputs));
  }

  protected async policy(
    observations: Float32Array,
    _rows: number,
    { explore = true }: ActOptions,
  ): Promise<Float32Array> {
    if (!explore) return this.chainActor.evaluate(observations, this.noise);
    const { latents, actions } = await this.chainActor.explore(observations, this.noise);
    this.replayedLatents?.remember(latents, actions);
    return actions;
  }

  protected override stored(actions: Float32Array): Float32Array {
    return this.replayedLatents?.attach(actions) ?? actions;
  }

  override observe(transitions: Transitions, decision: Decision | null): void {
    super.observe(transitions, decision);
    this.steps.value += transitions.rewards.length;
  }

  override update(): Promise<Metrics> {
    this.temperature.at(this.steps.value);
    return super.update();
  }

  policyGraph(rows: number): PolicyGraph {
    return this.chainActor.graph(rows);
  }

  /** One update of critics, targets, policy and temperature. Give `noise` to inject it. */
  async learn(batch: ReplayBatch, noise = this.drawNoise()): Promise<Metrics> {
    const { batchSize: rows } = this;
    const { observationSize, actionSize } = this.sampler.sizes;
    const results = await this.updateProgram({
      observations: matrix(batch.observations, observationSize),
      actions: { data: batch.actions, shape: [rows, batch.actions.length / rows] },
      rewards: vector(batch.rewards),
      nextObservations: matrix(batch.nextObservations, observationSize),
      terminated: vector(batch.terminated),
      truncated: vector(batch.truncated),
      chain: { data: noise.chain, shape: this.sampler.noiseShape(this.chainRows) },
      step: vector(noise.step),
      critic: matrix(noise.critic, actionSize),
      actor: matrix(noise.actor, actionSize),
      start: matrix(noise.start, actionSize),
    });
    this.updates++;
    this.trustRegion?.renew(this.updates);
    return Object.fromEntries(Object.entries(results).map(([name, [value]]) => [name, value as number]));
  }

  private updateStep(inputs: Tensors): Record<UpdateOutput, tf.Tensor> {
    const temperature = this.temperature.value();
    const { sampled, successor, path } = this.simulate(inputs);
    const critic = this.criticStep(inputs, sampled, successor, temperature);
    const actor = this.actorStep(inputs.actor as tf.Tensor2D, sampled, temperature);
    const runCost = path ? tf.mean(path.runCost) : actor.runCost;
    const entropyBound = path ? tf.neg(tf.mean(path.totalCost)) : tf.sub(this.sampler.priorEntropy, runCost);
    this.temperature.step(entropyBound as tf.Scalar);
    return { ...critic, ...actor, runCost, entropyBound, temperature: this.temperature.value() };
  }

  /** Runs the chains that the options ask for, without gradient: on replayed observations and on their successors. */
  private simulate(inputs: Tensors) {
    const { latents, actionTarget, groupSize } = this.options;
    const { steps } = this.sampler.schedule;
    const observations = repeatRows(inputs.observations as tf.Tensor2D, groupSize);
    const nextObservations = inputs.nextObservations as tf.Tensor2D;
    const simulated = [
      ...(latents === 'resimulate' ? [observations] : []),
      ...(actionTarget === 'chain' ? [nextObservations] : []),
    ];
    const path = simulated.length
      ? this.sampler.sample(tf.concat(simulated), inputs.chain, { trajectory: 'detached' })
      : undefined;
    const rows = observations.shape[0];
    const step = inputs.step as tf.Tensor1D;
    const at = { observations, step };
    const sampled: SampledSteps =
      path && latents === 'resimulate'
        ? { ...at, ...sampledFrom(path, step, rows) }
        : { ...at, x: select(this.storedLatents(inputs.actions as tf.Tensor2D), step) };
    const from = latents === 'resimulate' ? rows : 0;
    const successor =
      path && actionTarget === 'chain'
        ? { input: tail(path.action, from), cost: tail(path.runCost, from), level: steps }
        : { input: inputs.start as tf.Tensor2D, cost: tf.zeros([nextObservations.shape[0]]), level: 0 };
    return { sampled, successor, path };
  }

  /** Both critics towards Q at the replayed actions and, with equal weight, U at the sampled latents; the targets after them. */
  private criticStep(
    inputs: Tensors,
    sampled: SampledSteps,
    successor: { input: tf.Tensor2D; cost: tf.Tensor; level: number },
    temperature: tf.Scalar,
  ) {
    const { steps } = this.sampler.schedule;
    const [batch, actionSize] = [inputs.observations.shape[0] as number, this.actionSpace.size];
    const ofSuccessor = this.minimum(
      this.target,
      inputs.nextObservations,
      successor.input,
      tf.fill([batch], successor.level),
    );
    const discount = tf.mul(tf.sub(1, inputs.terminated), this.options.gamma);
    const actionTarget = tf.add(
      inputs.rewards,
      tf.mul(discount, tf.sub(ofSuccessor, tf.mul(successor.cost, temperature))),
    ) as tf.Tensor1D;
    const latentTargets = this.latentTargets(sampled, inputs.critic as tf.Tensor2D, temperature);
    const targets = tf.concat([actionTarget, latentTargets]);

    const observations = tf.concat([inputs.observations as tf.Tensor2D, sampled.observations]);
    const actions = tf.slice(inputs.actions as tf.Tensor2D, [0, 0], [-1, actionSize]);
    const x = tf.concat([actions, tf.div(sampled.x, this.sampler.priorStd)]) as tf.Tensor2D;
    const levels = tf.concat([tf.fill([batch], steps), sampled.step]) as tf.Tensor1D;
    const { results, gradients } = lossAndGradients(this.critic.variables, () => {
      const values = this.critic.apply(observations, x, levels);
      const losses = values.flatMap((value) => {
        const [ofActions, ofLatents] = tf.split(tf.squaredDifference(value, targets), [batch, sampled.step.shape[0]]);
        return [tf.mean(ofActions as tf.Tensor), tf.mean(ofLatents as tf.Tensor)];
      });
      return { loss: tf.mul(tf.addN(losses), 0.5) as tf.Scalar };
    });
    this.criticAdam.apply(gradients);
    moveTowards(this.target.variables, this.critic.variables, this.options.targetRate);
    return { criticLoss: results.loss, value: tf.mean(actionTarget) };
  }

  /** Targets of U at the sampled latents, `[R]`. */
  private latentTargets(sampled: SampledSteps, noise: tf.Tensor2D, temperature: tf.Scalar): tf.Tensor1D {
    const { chain, observations, step } = sampled;
    if (chain && this.options.latentTarget === 'chain') {
      const level = tf.fill([step.shape[0]], this.sampler.schedule.steps) as tf.Tensor1D;
      const value = this.minimum(this.target, observations, chain.action, level);
      return tf.sub(value, tf.mul(chain.costAhead, temperature));
    }
    const batch = this.batchAt(sampled, temperature);
    const next = tf.add(batch.mean, tf.mul(batch.std, noise)) as tf.Tensor2D;
    const logRatio = stepLogRatio(batch, next, logNormal(next, batch.mean, batch.std) as tf.Tensor1D);
    return tf.sub(this.valueOfSuccessors(this.target, sampled)(next), tf.mul(logRatio, temperature));
  }

  /** The policy down its loss on the sampled transitions, within the trust region if there is one. */
  private actorStep(noise: tf.Tensor2D, sampled: SampledSteps, temperature: tf.Scalar) {
    const { observations, x, step } = sampled;
    const rowLosses = this.rowLosses(noise, sampled, temperature);
    const old = this.trustRegion?.moments(observations, x, step);
    const { results, gradients } = lossAndGradients(this.sampler.variables, () => {
      const batch = this.batchAt(sampled, temperature);
      const { loss: rows, logRatio } = rowLosses(batch);
      const region = old && this.trustRegion?.loss(rows, old, batch);
      const { loss, chainKl } = region ?? { loss: tf.mean(rows) as tf.Scalar, chainKl: tf.scalar(0) };
      return { loss, chainKl, runCost: tf.mul(tf.mean(logRatio), batch.kernels.steps) };
    });
    this.actorAdam.apply(gradients);
    this.trustRegion?.step(results.chainKl as tf.Scalar);
    return { actorLoss: results.loss, chainKl: results.chainKl, runCost: results.runCost as tf.Tensor };
  }

  /** What the actor minimises, `[R]`, as a function of the current kernels; what comes before it costs no gradient. */
  private rowLosses(noise: tf.Tensor2D, sampled: SampledSteps, temperature: tf.Scalar): RowLosses {
    const { chain, observations, step } = sampled;
    if (chain && this.options.divergence === 'forward') {
      const level = tf.fill([step.shape[0]], this.sampler.schedule.steps) as tf.Tensor1D;
      const value = this.minimum(this.critic, observations, chain.action, level);
      return forwardKlLosses(chain, value, this.options.groupSize);
    }
    return this.actorLoss(noise, this.valueOfSuccessors(this.critic, sampled), this.batchAt(sampled, temperature));
  }

  /**
   * The loss `[R]` of transitions at the current kernels, and their log ratios.
   *
   * @param noise `[R, A]`, standard normal
   * @param value U of the transitions' successors
   * @param _before the transitions at the kernels as they are now; nothing computed from them outside of the returned
   * function carries a gradient
   */
  protected actorLoss(noise: tf.Tensor2D, value: (next: tf.Tensor2D) => tf.Tensor1D, _before: StepBatch): RowLosses {
    const { pathOnly } = this.options;
    return (batch) => sacStepLoss(batch, { noise, value, pathOnly });
  }

  /** The sampled transitions with the kernels as they are now. */
  private batchAt(sampled: SampledSteps, temperature: tf.Scalar): StepBatch {
    return stepBatch(this.sampler, sampled, { temperature, trainDiffusion: this.trainsDiffusion });
  }

  /** U(s, y, k + 1) as a function of successors y: squashed actions after the last step, latents before. */
  private valueOfSuccessors(critic: LatentValue, { observations, step }: SampledSteps) {
    const { squash, priorStd, schedule } = this.sampler;
    const last = tf.cast(tf.equal(tf.reshape(step, [-1, 1]), schedule.steps - 1), 'float32');
    return (next: tf.Tensor2D): tf.Tensor1D => {
      const latent = tf.mul(tf.sub(1, last), tf.div(next, priorStd));
      const input = tf.add(latent, tf.mul(last, squash.apply(next))) as tf.Tensor2D;
      return this.minimum(critic, observations, input, tf.add(step, 1));
    };
  }

  private minimum(critic: LatentValue, observations: tf.Tensor, x: tf.Tensor2D, level: tf.Tensor1D): tf.Tensor1D {
    const [first, second] = critic.apply(observations as tf.Tensor2D, x, level) as [tf.Tensor1D, tf.Tensor1D];
    return tf.minimum(first, second);
  }

  /** The latents stored with replayed actions, K tensors `[B, A]`. */
  private storedLatents(actions: tf.Tensor2D): tf.Tensor2D[] {
    return tf.split(actions, this.sampler.schedule.steps + 1, 1).slice(1) as tf.Tensor2D[];
  }

  private get chainRows(): number {
    const { latents, actionTarget, groupSize } = this.options;
    return this.batchSize * ((latents === 'resimulate' ? groupSize : 0) + (actionTarget === 'chain' ? 1 : 0));
  }

  private drawNoise(): DiffSacNoise {
    const rows = this.batchSize * this.options.groupSize;
    const { actionSize } = this.sampler.sizes;
    return {
      chain: this.noise.normals(tf.util.sizeFromShape(this.sampler.noiseShape(this.chainRows))),
      step: Float32Array.from(this.noise.integers(rows, this.sampler.schedule.steps)),
      critic: this.noise.normals(rows * actionSize),
      actor: this.noise.normals(rows * actionSize),
      start: this.noise.normals(this.batchSize * actionSize),
    };
  }

  dispose(): void {
    for (const part of [this.chainActor, this.updateProgram, this.sampler, this.critic, this.target, this.temperature])
      part.dispose();
    for (const part of [this.actorAdam, this.criticAdam, this.trustRegion]) part?.dispose();
  }
}

function tail<T extends tf.Tensor>(tensor: T, from: number): T {
  return tf.slice(tensor, from, (tensor.shape[0] as number) - from);
}
