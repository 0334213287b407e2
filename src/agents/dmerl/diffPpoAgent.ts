import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError } from '../../errors.js';
import { augmentedDiscounts } from '../../mdp/discounts.js';
import { augmentedGae } from '../../mdp/gae.js';
import { type AugmentedRecords, AugmentedRollout } from '../../mdp/rollout.js';
import { gatherRows, type TransitionRows } from '../../mdp/rows.js';
import { TransitionIndex } from '../../mdp/transitionIndex.js';
import { LatentValue } from '../../networks/latentValue.js';
import { stepKl } from '../../objectives/chainKl.js';
import { ppoStepLoss } from '../../objectives/ppoStepLoss.js';
import { logNoising, stepBatch } from '../../objectives/stepBatch.js';
import { TemperatureControl, temperatureOption } from '../../objectives/temperatureControl.js';
import { Adam, adamOption, learningRateOption } from '../../ops/adam.js';
import { clipGlobalNorm } from '../../ops/clipGlobalNorm.js';
import { logNormal } from '../../ops/gaussian.js';
import { lossAndGradients } from '../../ops/gradients.js';
import { RewardScale } from '../../ops/rewardScale.js';
import { RunningMoments } from '../../ops/runningMoments.js';
import { flag, integer, number, type OptionValues, oneOf, widths } from '../../options.js';
import { Rng } from '../../rng/rng.js';
import type { Metrics } from '../agent.js';
import { matrix, pick, vector } from '../arrays.js';
import { type AgentOptions, agentOptions, BaseAgent, type Experience } from '../baseAgent.js';
import type { ExportableAgent, PolicyGraph } from '../exportOnnx.js';
import type { NoiseSource } from '../noiseSource.js';
import { numbers } from '../program.js';
import { ChainActor } from './chainActor.js';
import { clipBounds, clipScalingOption } from './clipScaling.js';
import { evaluationOption, samplerOption } from './options.js';
import { StepCounter } from './stepCounter.js';
import { minibatches, updateScalingOption } from './updateScaling.js';

const diffPpoOptions = {
  ...agentOptions,
  sampler: samplerOption,
  rolloutSteps: integer(2048, { min: 1 }, 'Environment steps, all environments together, between updates.'),
  epochs: integer(5, { min: 1 }, 'Passes over a rollout.'),
  minibatchSize: integer(
    256,
    { min: 1 },
    'Transitions of the augmented MDP in a gradient step (before updateScaling).',
  ),
  updateScaling: updateScalingOption,
  clip: number(
    0.2,
    { above: 0, below: 1 },
    'Ratios of an unscaled policy (K = 1) are clipped to [1 - clip, 1 + clip].',
  ),
  clipScaling: clipScalingOption,
  targetChainKl: number(
    0.05,
    { above: 0 },
    "An update stops early when a minibatch's chain KL from the old policy exceeds this.",
  ),
  temperature: temperatureOption(
    0.005,
    'Of rewards as the agent sees them, see scaleRewards; 0 is plain PPO on the chain (DPPO).',
  ),
  lambda: number(0.95, { min: 0, max: 1 }, 'Decay of generalised advantage estimation.'),
  discountMode: oneOf(
    ['phase', 'root', 'flat'],
    'phase',
    'How discounts are spread over diffusion steps; see DiscountMode.',
  ),
  value: oneOf(['latent', 'state'], 'latent', 'Values see latent and step, or the observation only, as in DPPO.'),
  valueHidden: widths([256, 256], 'Hidden layers of the value network.'),
  normaliseAdvantages: flag(true, 'Divide advantages by their standard deviation in the minibatch.'),
  recomputeEntropy: flag(true, 'Re-evaluate the entropy part of the advantages at the current parameters.'),
  normaliseObservations: flag(true, 'Networks see observations less their running mean, over their running deviation.'),
  scaleRewards: flag(true, 'Divide rewards by the running deviation of the discounted return.'),
  learningRate: learningRateOption(3e-4, 'Of policy and value network.'),
  adam: adamOption({}, 'Of both optimisers.'),
  maxGradientNorm: number(0.5, { above: 0 }, 'Largest norm of a gradient.'),
  evaluation: evaluationOption('sde'),
};

export type DiffPpoOptions = AgentOptions<typeof diffPpoOptions>;

/** The chains that led to actions, and the observations as the networks saw them. */
interface Chains {
  observations: Float32Array;
  latents: Float32Array;
}

type Rows = { observations: tf.Tensor2D; x: tf.Tensor2D; step: tf.Tensor1D };
type Steps = Rows & { next: tf.Tensor2D };
type UpdateInputs = Steps & {
  oldLogForward: tf.Tensor1D;
  oldLogBackward: tf.Tensor1D;
  oldMean: tf.Tensor2D;
  oldStd: tf.Tensor2D;
  advantages: tf.Tensor1D;
  returns: tf.Tensor1D;
  clip: tf.Tensor1D;
};

/** What is known of every transition of a rollout, in the order of {@link TransitionIndex}. */
type Prices = Record<'logForward' | 'logBackward' | 'mean' | 'std' | 'value', Float32Array>;

/** A rollout and all that its gradient steps need. */
interface Lesson {
  records: AugmentedRecords;
  index: TransitionIndex;
  prices: Prices;
  advantages: Float64Array;
  returns: Float64Array;
}

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
export class DiffPpoAgent extends BaseAgent<OptionValues<typeof diffPpoOptions>, Chains> implements ExportableAgent {
  static readonly kind = 'DiffPpoAgent';
  static readonly options = diffPpoOptions;

  /**
   * Builds the networks; sizes are read from `env`.
   *
   * @throws ArgumentError for an option out of range or an unbounded action space
   */
  static create(options: DiffPpoOptions): Promise<DiffPpoAgent> {
    return DiffPpoAgent.make(DiffPpoAgent, options, (compiler) => new DiffPpoAgent(DiffPpoAgent, options, compiler));
  }

  readonly name = 'DiffPPO';
  /** None: it learns from its own actions only. */
  readonly warmupSteps = 0;
  private readonly clips = clipBounds(this.options.clipScaling, this.options.clip, this.options.sampler.schedule);
  readonly sampler = this.own('actor', this.options.sampler.build(this.networks.split('actor'), this.sizes));
  private readonly discounts = augmentedDiscounts({
    diffusionSteps: this.sampler.schedule.steps,
    gamma: this.options.gamma,
    lambda: this.options.lambda,
    mode: this.options.discountMode,
  });
  private readonly value = this.own(
    'value',
    new LatentValue(this.networks.split('value'), {
      ...this.sizes,
      diffusionSteps: this.sampler.schedule.steps,
      hidden: this.options.valueHidden,
    }),
  );
  private readonly temperature = this.own(
    'temperature',
    new TemperatureControl(this.options.temperature, this.sizes.actionSize),
  );
  private readonly actorAdam = this.own(
    'actorAdam',
    new Adam(this.sampler.variables, { ...this.options.adam, learningRate: this.options.learningRate }),
  );
  private readonly valueAdam = this.own(
    'valueAdam',
    new Adam(this.value.variables, { ...this.options.adam, learningRate: this.options.learningRate }),
  );
  private readonly rollout = this.own('rollout', new AugmentedRollout());
  private readonly moments = this.own('moments', new RunningMoments(this.sizes.observationSize));
  private readonly rewardScale = this.own('rewardScale', new RewardScale(this.options.gamma));
  private readonly priors = this.own('priors', Rng.fromSeed(this.options.seed).split('priors'));
  private readonly shuffle = this.own('shuffle', Rng.fromSeed(this.options.seed).split('shuffle'));
  private readonly steps = this.own('steps', new StepCounter());

  private readonly chainActor = new ChainActor(this.sampler, this.options.evaluation, (program) =>
    this.program(program),
  );
  private readonly price = this.program((rows: Steps) => {
    const { mean, std, forward, backward } = this.densities(rows);
    return { mean, std, logForward: forward, logBackward: backward, value: this.valueAt(rows) };
  });
  private readonly values = this.program((rows: Rows) => ({ value: this.valueAt(rows) }));
  private readonly updateBoth = this.updateProgram((inputs: UpdateInputs) => this.gradientStep(inputs));

  protected async policy(observations: Float32Array, _rows: number, draw: NoiseSource, explore: boolean) {
    if (!explore) return this.chainActor.evaluate(this.normalised(observations), draw);
    if (this.options.normaliseObservations) this.moments.add(observations);
    const seen = this.normalised(observations);
    const { latents, actions } = await this.chainActor.explore(seen, draw);
    return { actions, memory: { observations: seen, latents } };
  }

  protected experience({ transitions, memory }: Experience<Chains>): void {
    if (transitions.lost?.some(Boolean)) {
      this.rollout.cut();
      return;
    }
    if (!memory) {
      throw new ArgumentError(
        'DiffPPO.observe: the actions must be those that act() decided on. DiffPPO learns from its own actions only: train it without warm-up, and hand on its decision unchanged.',
      );
    }
    const { rewards, nextObservations, terminated, truncated } = transitions;
    const next = this.normalised(nextObservations);
    const nextLatents = new Float32Array(rewards.length * this.sizes.actionSize);
    this.rollout.add({ ...memory, rewards, nextObservations: next, nextLatents, terminated, truncated });
    nextLatents.set(this.priors.normals(nextLatents.length, 0, this.sampler.priorStd));
    this.rewardScale.add(
      rewards,
      terminated.map((flag, i) => flag | (truncated[i] as number)),
    );
    this.steps.value += rewards.length;
  }

  /** Learns when `rolloutSteps` environment steps are together. */
  protected async learnDue(): Promise<Metrics> {
    const { rowsPerStep, length } = this.rollout;
    if (length * rowsPerStep < this.options.rolloutSteps) return {};
    this.temperature.at(this.steps.value);
    return this.learnFrom(await this.lesson(this.rollout.take(), rowsPerStep));
  }

  /** Gradient steps over shuffled minibatches until the epochs are over or the policy has moved far enough. */
  private async learnFrom(lesson: Lesson): Promise<Metrics> {
    const { epochs, targetChainKl, minibatchSize: size, updateScaling: scaling } = this.options;
    const outer = lesson.records.rewards.length;
    const results: Metrics[] = [];
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const indices of minibatches(this.shuffle, lesson.index, { outer, size, scaling })) {
        const result = numbers(await this.updateBoth(this.updateInputs(lesson, indices)));
        this.updates++;
        results.push(result);
        if (result.chainKl > targetChainKl) return this.summary(results);
      }
    }
    return this.summary(results);
  }

  /** Means over the minibatches; the KL and the temperature are those at the end. */
  private summary(results: Metrics[]): Metrics {
    const last = results.at(-1) as Metrics;
    const average = (name: string) => mean(results.map((result) => result[name] as number));
    const averages = Object.keys(last).map((name) => [name, average(name)]);
    return {
      ...Object.fromEntries(averages),
      entropyBound: this.sampler.priorEntropy - average('runCost'),
      chainKl: last.chainKl as number,
      temperature: last.temperature as number,
      gradientSteps: results.length,
    };
  }

  private async lesson(records: AugmentedRecords, numEnvs: number): Promise<Lesson> {
    const index = new TransitionIndex(numEnvs, this.sampler.schedule.steps);
    const prices = await this.prices(records, index);
    return { records, index, prices, ...(await this.advantages(records, numEnvs, prices)) };
  }

  /** Densities, moments and values of every transition under the policy that made it. */
  private async prices(records: AugmentedRecords, index: TransitionIndex): Promise<Prices> {
    const outer = records.rewards.length;
    const total = outer * index.steps;
    const wide = () => new Float32Array(total * this.sizes.actionSize);
    const narrow = () => new Float32Array(total);
    const prices: Prices = { logForward: narrow(), logBackward: narrow(), mean: wide(), std: wide(), value: narrow() };
    for (let start = 0; start < total; start += outer) {
      const indices = Int32Array.from({ length: outer }, (_, i) => start + i);
      const part: Prices = await this.price(this.rowInputs(gatherRows(records, index, this.sizes, indices)));
      for (const [name, numbers] of Object.entries(part) as [keyof Prices, Float32Array][]) {
        prices[name].set(numbers, start * (numbers.length / outer));
      }
    }
    return prices;
  }

  private async advantages(records: AugmentedRecords, numEnvs: number, prices: Prices) {
    const scale = this.options.scaleRewards ? this.rewardScale.value : 1;
    const { value: bootstrapValues } = await this.values({
      observations: matrix(records.nextObservations, this.sizes.observationSize),
      x: matrix(records.nextLatents, this.sizes.actionSize),
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

  private updateInputs({ records, index, prices, advantages, returns }: Lesson, indices: Int32Array) {
    const { actionSize } = this.sizes;
    return {
      ...this.rowInputs(gatherRows(records, index, this.sizes, indices)),
      oldLogForward: vector(pick(prices.logForward, indices)),
      oldLogBackward: vector(pick(prices.logBackward, indices)),
      oldMean: matrix(pick(prices.mean, indices, actionSize), actionSize),
      oldStd: matrix(pick(prices.std, indices, actionSize), actionSize),
      advantages: vector(pick(advantages, indices)),
      returns: vector(pick(returns, indices)),
      clip: vector(Float32Array.from(indices, (i) => this.clips[index.step(i)] as number)),
    };
  }

  /** One gradient step of policy, value network and automatic temperature. */
  private gradientStep(inputs: UpdateInputs) {
    const { maxGradientNorm, normaliseAdvantages: normalise, recomputeEntropy } = this.options;
    const temperature = this.temperature.value();
    const actor = lossAndGradients(this.sampler.variables, () => {
      const { mean, std, forward, backward } = this.densities(inputs);
      const batch = { ...inputs, logForward: forward, logBackward: backward, temperature };
      const { loss, clipped } = ppoStepLoss(batch, { normalise, recomputeEntropy });
      return {
        loss: tf.mean<tf.Scalar>(loss),
        chainKl: this.chainMean(stepKl({ mean: inputs.oldMean, std: inputs.oldStd }, { mean, std })),
        clipFraction: tf.mean<tf.Scalar>(clipped),
        runCost: this.chainMean(tf.sub(forward, backward)),
      };
    });
    const critic = lossAndGradients(this.value.variables, () => ({
      loss: tf.mul<tf.Scalar>(tf.mean(tf.squaredDifference(this.valueAt(inputs), inputs.returns)), 0.5),
    }));
    this.actorAdam.apply(clipGlobalNorm(actor.gradients, maxGradientNorm));
    this.valueAdam.apply(clipGlobalNorm(critic.gradients, maxGradientNorm));
    const { loss: actorLoss, chainKl, clipFraction, runCost } = actor.results;
    this.temperature.step(tf.sub(runCost, this.sampler.priorEntropy));
    const valueLoss = critic.results.loss;
    return { actorLoss, valueLoss, chainKl, clipFraction, runCost, temperature: this.temperature.value() };
  }

  /** Moments of the learned kernels and both densities, the squash's log-determinant counted with the noising kernel's. */
  private densities(rows: Steps) {
    const batch = stepBatch(this.sampler, rows, { temperature: 1 });
    const { mean, std } = batch;
    return {
      mean,
      std,
      forward: logNormal(rows.next, mean, std) as tf.Tensor1D,
      backward: logNoising(batch, rows.next),
    };
  }

  private valueAt({ observations, x, step }: Rows): tf.Tensor1D {
    const seen = this.options.value === 'latent' ? 1 : 0;
    const scaled: tf.Tensor2D = tf.mul(x, seen / this.sampler.priorStd);
    return this.value.apply(observations, scaled, tf.mul(step, seen))[0] as tf.Tensor1D;
  }

  /** A sum over the chain, estimated from rows at steps drawn uniformly. */
  private chainMean(perStep: tf.Tensor): tf.Scalar {
    return tf.mul(tf.mean(perStep), this.sampler.schedule.steps);
  }

  private normalised(observations: Float32Array): Float32Array {
    return this.options.normaliseObservations ? this.moments.normalise(observations) : observations;
  }

  private rowInputs({ observations, x, next, step }: TransitionRows) {
    const { observationSize, actionSize } = this.sizes;
    return {
      observations: matrix(observations, observationSize),
      x: matrix(x, actionSize),
      next: matrix(next, actionSize),
      step: vector(step),
    };
  }

  /** The policy as `explore: false` runs it, with the observation statistics of now. */
  policyGraph(rows: number): PolicyGraph {
    return this.chainActor.graph(rows, this.options.normaliseObservations ? this.moments.asProgram() : undefined);
  }
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
