import * as tf from '@tensorflow/tfjs-core';
import type { DiffusionSampler } from '../diffusion/diffusionSampler.js';
import { dmerlSampler } from '../diffusion/dmerl.js';
import { ArgumentError } from '../errors.js';
import { type AugmentedDiscounts, augmentedDiscounts } from '../mdp/discounts.js';
import { augmentedGae } from '../mdp/gae.js';
import { type AugmentedRecords, AugmentedRollout } from '../mdp/rollout.js';
import { gatherRows, type RecordSizes, type TransitionRows } from '../mdp/rows.js';
import { LatentValue } from '../networks/latentValue.js';
import { stepKl } from '../objectives/chainKl.js';
import { ppoStepLoss } from '../objectives/ppoStepLoss.js';
import { logNoising, stepBatch } from '../objectives/stepBatch.js';
import { TemperatureControl } from '../objectives/temperatureControl.js';
import { Adam } from '../ops/adam.js';
import { clipGlobalNorm } from '../ops/clipGlobalNorm.js';
import { logNormal } from '../ops/gaussian.js';
import { lossAndGradients } from '../ops/gradients.js';
import { RewardScale } from '../ops/rewardScale.js';
import { RunningMoments } from '../ops/runningMoments.js';
import { variablesAsState } from '../ops/variables.js';
import type { ObservedTransitions } from '../replay/transitions.js';
import { Rng } from '../rng/rng.js';
import type { Commit, StateArray, StateDict, Stateful } from '../state.js';
import type { ActOptions, Decision, Metrics } from './agent.js';
import { matrix, pick, vector } from './arrays.js';
import { ChainActor } from './chainActor.js';
import { clipBounds } from './clipScaling.js';
import { checkedPpoOptions, type DiffPpoOptions } from './diffPpoOptions.js';
import type { ExportableAgent, PolicyGraph } from './exportOnnx.js';
import { BaseAgent } from './legacyBaseAgent.js';
import { type Compiler, type Program, selectCompiler } from './legacyProgram.js';
import { StepCounter } from './stepCounter.js';
import { minibatches } from './updateScaling.js';

type RowInput = 'observations' | 'x' | 'next' | 'step';
type UpdateInput =
  | RowInput
  | 'oldLogForward'
  | 'oldLogBackward'
  | 'oldMean'
  | 'oldStd'
  | 'advantages'
  | 'returns'
  | 'clip';
type PriceOutput = 'logForward' | 'logBackward' | 'mean' | 'std' | 'value';
type UpdateOutput = 'actorLoss' | 'valueLoss' | 'chainKl' | 'clipFraction' | 'runCost' | 'temperature';

/** What is known of every transition of a rollout, flat, in the order `[T, K, N]`. */
type Prices = Record<PriceOutput, Float32Array>;

/**
 * DiffPPO (Sanokowski et al. 2025): proximal policy optimisation of the soft return on the augmented MDP, whose steps
 * are the single transitions of the diffusion chain.
 *
 * The chain runs inside `act`, for all environments at once. Give it a vector environment: an update comes every
 * `rolloutSteps` environment steps.
 *
 * @example
 * ```ts
 * const agent = await DiffPpoAgent.create({ env, temperature: { anneal: { from: 0.02, to: 0.001, duration: 5e5 } } });
 * await train({ agent, env, steps: 1_000_000 });
 * ```
 */
export class DiffPpoAgent extends BaseAgent implements ExportableAgent {
  readonly name = 'DiffPPO';
  /** None: it learns from its own actions only. */
  readonly warmupSteps = 0;
  readonly sampler: DiffusionSampler;
  protected readonly parts: Record<string, Stateful>;
  readonly config;

  private readonly options;
  private readonly discounts: AugmentedDiscounts;
  private readonly clips: number[];
  private readonly value: LatentValue;
  private readonly temperature: TemperatureControl;
  private readonly actorAdam: Adam;
  private readonly valueAdam: Adam;
  private readonly rollout = new AugmentedRollout();
  private readonly moments: RunningMoments;
  private readonly rewardScale: RewardScale;
  private readonly priors: Rng;
  private readonly shuffle: Rng;
  private readonly steps = new StepCounter();
  /** The chains that {@link act} ran last, until it is known what came of them. */
  private pending?: { observations: Float32Array; latents: Float32Array };

  private readonly chainActor: ChainActor;
  private readonly priceProgram: Program<RowInput, PriceOutput>;
  private readonly valueProgram: Program<'observations' | 'x' | 'step', 'value'>;
  private readonly updateProgram: Program<UpdateInput, UpdateOutput>;

  /**
   * Builds the networks; sizes are read from `env`.
   *
   * @throws ArgumentError for an option out of range or an unbounded action space
   */
  static async create(options: DiffPpoOptions): Promise<DiffPpoAgent> {
    return new DiffPpoAgent(options, await selectCompiler(options.compile));
  }

  protected constructor(options: DiffPpoOptions, compiler: Compiler) {
    super(options);
    this.options = checkedPpoOptions(options);
    const { seed = 0, sampler = dmerlSampler() } = options;
    const { gamma, lambda, valueHidden, learningRate } = this.options;
    const { steps } = sampler.schedule;
    this.discounts = augmentedDiscounts({ steps, gamma, lambda, mode: options.discountMode });
    this.clips = clipBounds(options.clipScaling ?? 'sqrtK', this.options.clip, sampler.schedule);

    const rng = Rng.fromSeed(seed);
    const sizes = { observationSize: this.observationSpace.size, actionSize: this.actionSpace.size };
    this.sampler = sampler.build(rng.split('networks').split('actor'), sizes);
    this.value = new LatentValue(rng.split('networks').split('value'), {
      ...sizes,
      levels: steps,
      hidden: valueHidden,
    });
    this.temperature = new TemperatureControl(options.temperature ?? 0.005, sizes.actionSize);
    this.actorAdam = new Adam(sampler.variables, { learningRate });
    this.valueAdam = new Adam(this.value.variables, { learningRate });
    this.moments = new RunningMoments(sizes.observationSize);
    this.rewardScale = new RewardScale(gamma);
    this.priors = rng.split('priors');
    this.shuffle = rng.split('shuffle');
    this.parts = {
      actor: variablesAsState(sampler.variables),
      value: variablesAsState(this.value.variables),
      temperature: this.temperature,
      actorAdam: this.actorAdam,
      valueAdam: this.valueAdam,
      rollout: this.rollout,
      moments: this.moments,
      rewardScale: this.rewardScale,
      priors: this.priors,
      shuffle: this.shuffle,
      steps: this.steps,
    };
    this.config = { seed, steps, gamma, lambda, sampler: sampler.constructor.name, valueHidden: [...valueHidden] };

    this.chainActor = new ChainActor(sampler, this.options.evaluation, compiler as never);
    this.priceProgram = compiler((inputs) => this.price(inputs));
    this.valueProgram = compiler((inputs) => ({ value: this.valueAt(inputs) }));
    this.updateProgram = compiler((inputs) => this.step(inputs));
  }

  protected async policy(
    observations: Float32Array,
    _rows: number,
    { explore = true }: ActOptions,
  ): Promise<Float32Array> {
    if (explore && this.options.normaliseObservations) this.moments.add(observations);
    const seen = this.normalised(observations);
    if (!explore) return this.chainActor.evaluate(seen, this.noise);
    const { latents, actions } = await this.chainActor.explore(seen, this.noise);
    this.pending = { observations: seen, latents };
    return actions;
  }

  /** @throws ArgumentError unless `act` chose these actions */
  observe(transitions: ObservedTransitions, _decision: Decision | null): void {
    const { rewards, nextObservations, terminated, truncated } = transitions;
    const rows = rewards.length;
    if (this.pending?.observations.length !== rows * this.observationSpace.size) {
      throw new ArgumentError(
        `DiffPPO.observe: expected what came of the actions that act() chose last, got ${rows} other transitions. DiffPPO learns from its own actions only: train it without warm-up.`,
      );
    }
    if (transitions.lost?.some(Boolean)) {
      this.rollout.cut();
      this.pending = undefined;
      return;
    }
    const ended = terminated.map((flag, i) => flag | (truncated[i] as number));
    this.rewardScale.add(rewards, ended);
    const nextLatents = this.priors.normals(rows * this.actionSpace.size, 0, this.sampler.priorStd);
    const next = this.normalised(nextObservations);
    this.rollout.add({ ...this.pending, rewards, nextObservations: next, nextLatents, terminated, truncated });
    this.pending = undefined;
    this.steps.value += rows;
  }

  /** Learns when `rolloutSteps` environment steps are together. */
  async update(): Promise<Metrics> {
    const [numEnvs, steps] = [this.rollout.rowsPerStep, this.rollout.length];
    if (steps * numEnvs < this.options.rolloutSteps) return {};
    this.temperature.at(this.steps.value);
    const records = this.rollout.take();
    const sizes = { numEnvs, steps: this.sampler.schedule.steps, ...this.sampler.sizes };
    const prices = await this.prices(records, sizes);
    const { advantages, returns } = await this.advantages(records, sizes, prices);
    return this.learn(records, sizes, { ...prices, advantages, returns });
  }

  /** Gradient steps over shuffled minibatches until the epochs are over or the policy has moved far enough. */
  private async learn(
    records: AugmentedRecords,
    sizes: RecordSizes,
    known: Omit<Prices, 'value'> & { advantages: Float64Array; returns: Float64Array },
  ): Promise<Metrics> {
    const { epochs, targetChainKl, minibatchSize, updateScaling } = this.options;
    const results: Record<UpdateOutput, Float32Array>[] = [];
    for (let epoch = 0; epoch < epochs; epoch++) {
      const outer = records.rewards.length;
      for (const indices of minibatches(this.shuffle, {
        ...sizes,
        outer,
        size: minibatchSize,
        scaling: updateScaling,
      })) {
        const result = await this.updateProgram({
          ...this.rowInputs(gatherRows(records, sizes, indices)),
          oldLogForward: vector(pick(known.logForward, indices)),
          oldLogBackward: vector(pick(known.logBackward, indices)),
          oldMean: matrix(pick(known.mean, indices, sizes.actionSize), sizes.actionSize),
          oldStd: matrix(pick(known.std, indices, sizes.actionSize), sizes.actionSize),
          advantages: vector(pick(known.advantages, indices)),
          returns: vector(pick(known.returns, indices)),
          clip: vector(
            pick(
              this.clips,
              indices.map((index) => Math.floor(index / sizes.numEnvs) % sizes.steps),
            ),
          ),
        });
        this.updates++;
        results.push(result);
        if ((result.chainKl[0] as number) > targetChainKl) return this.metrics(results);
      }
    }
    return this.metrics(results);
  }

  /** Means over the minibatches; the KL and the temperature are those at the end. */
  private metrics(results: Record<UpdateOutput, Float32Array>[]): Metrics {
    const average = (name: UpdateOutput) => mean(results.map((result) => result[name][0] as number));
    const { chainKl, temperature } = results.at(-1) as Record<UpdateOutput, Float32Array>;
    return {
      actorLoss: average('actorLoss'),
      valueLoss: average('valueLoss'),
      clipFraction: average('clipFraction'),
      runCost: average('runCost'),
      entropyBound: this.sampler.priorEntropy - average('runCost'),
      chainKl: chainKl[0] as number,
      temperature: temperature[0] as number,
      gradientSteps: results.length,
    };
  }

  /** Densities, moments and values of every transition under the policy that made it. */
  private async prices(records: AugmentedRecords, sizes: RecordSizes): Promise<Prices> {
    const outer = records.rewards.length;
    const total = outer * sizes.steps;
    const wide = () => new Float32Array(total * sizes.actionSize);
    const narrow = () => new Float32Array(total);
    const prices: Prices = { logForward: narrow(), logBackward: narrow(), mean: wide(), std: wide(), value: narrow() };
    for (let start = 0; start < total; start += outer) {
      const indices = Int32Array.from({ length: outer }, (_, i) => start + i);
      const part = await this.priceProgram(this.rowInputs(gatherRows(records, sizes, indices)));
      for (const name of Object.keys(prices) as PriceOutput[]) {
        prices[name].set(part[name], start * (part[name].length / outer));
      }
    }
    return prices;
  }

  private async advantages(records: AugmentedRecords, { numEnvs, actionSize }: RecordSizes, prices: Prices) {
    const scale = this.options.scaleRewards ? this.rewardScale.value : 1;
    const { value: bootstrapValues } = await this.valueProgram({
      observations: matrix(records.nextObservations, this.observationSpace.size),
      x: matrix(records.nextLatents, actionSize),
      step: vector(new Float32Array(records.rewards.length)),
    });
    const segment = {
      numEnvs,
      rewards: records.rewards.map((reward) => reward / scale),
      logRatios: prices.logForward.map((density, i) => density - (prices.logBackward[i] as number)),
      values: prices.value,
      bootstrapValues,
      terminated: records.terminated,
      truncated: records.truncated,
    };
    return augmentedGae(segment, await this.temperature.read(), this.discounts);
  }

  private price(rows: Record<RowInput, tf.Tensor>): Record<PriceOutput, tf.Tensor> {
    const { mean, std, forward, backward } = this.densities(rows);
    return { mean, std, logForward: forward, logBackward: backward, value: this.valueAt(rows) };
  }

  /** One gradient step of policy, value network and automatic temperature. */
  private step(inputs: Record<UpdateInput, tf.Tensor>): Record<UpdateOutput, tf.Tensor> {
    const { maxGradientNorm, normaliseAdvantages: normalise, recomputeEntropy } = this.options;
    const column = (name: UpdateInput) => inputs[name] as tf.Tensor1D;
    const temperature = this.temperature.value();
    const actor = lossAndGradients(this.sampler.variables, () => {
      const { mean, std, forward, backward } = this.densities(inputs);
      const batch = {
        logForward: forward,
        logBackward: backward,
        oldLogForward: column('oldLogForward'),
        oldLogBackward: column('oldLogBackward'),
        advantages: column('advantages'),
        clip: column('clip'),
        temperature,
      };
      const { loss, clipped } = ppoStepLoss(batch, { normalise, recomputeEntropy });
      const old = { mean: inputs.oldMean as tf.Tensor2D, std: inputs.oldStd as tf.Tensor2D };
      return {
        loss: tf.mean(loss) as tf.Scalar,
        chainKl: this.chainMean(stepKl(old, { mean, std })),
        clipFraction: tf.mean(clipped),
        runCost: this.chainMean(tf.sub(forward, backward)),
      };
    });
    const critic = lossAndGradients(this.value.variables, () => ({
      loss: tf.mul(tf.mean(tf.squaredDifference(this.valueAt(inputs), inputs.returns)), 0.5) as tf.Scalar,
    }));
    this.actorAdam.apply(clipGlobalNorm(actor.gradients, maxGradientNorm));
    this.valueAdam.apply(clipGlobalNorm(critic.gradients, maxGradientNorm));
    const { loss: actorLoss, chainKl, clipFraction, runCost } = actor.results;
    this.temperature.step(tf.sub(this.sampler.priorEntropy, runCost as tf.Scalar));
    const metrics = { chainKl, clipFraction, runCost } as Record<string, tf.Tensor>;
    return { actorLoss, valueLoss: critic.results.loss, ...metrics, temperature: this.temperature.value() } as Record<
      UpdateOutput,
      tf.Tensor
    >;
  }

  /** Moments of the learned kernels and both densities, the squash's log-determinant counted with the noising kernel's. */
  private densities(rows: Record<RowInput, tf.Tensor>) {
    const [observations, x, next] = [rows.observations as tf.Tensor2D, rows.x as tf.Tensor2D, rows.next as tf.Tensor2D];
    const batch = stepBatch(this.sampler, { observations, x, step: rows.step as tf.Tensor1D }, { temperature: 1 });
    const { mean, std } = batch;
    return { mean, std, forward: logNormal(next, mean, std) as tf.Tensor1D, backward: logNoising(batch, next) };
  }

  private valueAt({ observations, x, step }: Record<'observations' | 'x' | 'step', tf.Tensor>): tf.Tensor1D {
    const seen = this.options.value === 'latent' ? 1 : 0;
    const scaled = tf.mul(x, seen / this.sampler.priorStd) as tf.Tensor2D;
    const [value] = this.value.apply(observations as tf.Tensor2D, scaled, tf.mul(step, seen) as tf.Tensor1D);
    return value as tf.Tensor1D;
  }

  /** A sum over the chain, estimated from rows at steps drawn uniformly. */
  private chainMean(perStep: tf.Tensor): tf.Tensor {
    return tf.mul(tf.mean(perStep), this.sampler.schedule.steps);
  }

  private normalised(observations: Float32Array): Float32Array {
    return this.options.normaliseObservations ? this.moments.normalise(observations) : observations;
  }

  private rowInputs({ observations, x, next, step }: TransitionRows): Record<RowInput, StateArray> {
    const { observationSize, actionSize } = this.sampler.sizes;
    return {
      observations: matrix(observations, observationSize),
      x: matrix(x, actionSize),
      next: matrix(next, actionSize),
      step: vector(step),
    };
  }

  override async prepare(state: StateDict): Promise<Commit> {
    const commit = await super.prepare(state);
    return async () => {
      await commit();
      this.pending = undefined;
    };
  }

  /** The policy as `explore: false` runs it, with the observation statistics of now. */
  policyGraph(rows: number): PolicyGraph {
    return this.chainActor.graph(rows, this.options.normaliseObservations ? this.moments.asProgram() : undefined);
  }

  dispose(): void {
    for (const part of [this.chainActor, this.priceProgram, this.valueProgram, this.updateProgram]) part.dispose();
    for (const part of [this.sampler, this.value, this.temperature, this.actorAdam, this.valueAdam]) part.dispose();
  }
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
