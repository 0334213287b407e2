import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError } from '../errors.js';
import { augmentedDiscounts, type DiscountMode } from '../mdp/discounts.js';
import { augmentedGae } from '../mdp/gae.js';
import { type AugmentedRecords, AugmentedRollout } from '../mdp/rollout.js';
import { gatherRows, type TransitionRows } from '../mdp/rows.js';
import { TransitionIndex } from '../mdp/transitionIndex.js';
import { type Moments, stepKl } from '../objectives/chainKl.js';
import { ppoStepLoss } from '../objectives/ppoStepLoss.js';
import { type Adam, adamOption } from '../ops/adam.js';
import { clipGlobalNorm } from '../ops/clipGlobalNorm.js';
import { lossAndGradients } from '../ops/gradients.js';
import { RewardScale } from '../ops/rewardScale.js';
import { RunningMoments } from '../ops/runningMoments.js';
import type { Variables } from '../ops/variables.js';
import { flag, integer, number, type OptionValues } from '../options.js';
import { Rng } from '../rng/rng.js';
import type { Metrics } from './agent.js';
import { matrix, pick, vector } from './arrays.js';
import { agentOptions, BaseAgent, type Choice, type Experience } from './baseAgent.js';
import type { NoiseSource } from './noiseSource.js';
import { numbers } from './program.js';
import { StepCounter } from './stepCounter.js';
import { minibatches, type UpdateScaling } from './updateScaling.js';

/** Options that all agents have that learn from rollouts. */
export const onPolicyOptions = {
  ...agentOptions,
  rolloutSteps: integer(2048, { min: 1 }, 'Environment steps, all environments together, between updates.'),
  epochs: integer(10, { min: 1 }, 'Passes over a rollout.'),
  minibatchSize: integer(64, { min: 1 }, 'Transitions in a gradient step.'),
  clip: number(0.2, { above: 0, below: 1 }, 'Ratios are clipped to [1 - clip, 1 + clip].'),
  lambda: number(0.95, { min: 0, max: 1 }, 'Decay of generalised advantage estimation.'),
  normaliseAdvantages: flag(true, 'Divide advantages by their standard deviation in the minibatch.'),
  normaliseObservations: flag(true, 'Networks see observations less their running mean, over their running deviation.'),
  scaleRewards: flag(true, 'Divide rewards by the running deviation of the discounted return.'),
  adam: adamOption({}, 'Of both optimisers.'),
  maxGradientNorm: number(0.5, { above: 0 }, 'Largest norm of a gradient.'),
};

/** The chains `[K + 1, N, A]` that led to actions, and the observations as the networks saw them. */
export interface Chains {
  observations: Float32Array;
  latents: Float32Array;
}

/** Where transitions start: `[B, O]`, `[B, A]`, and the step in the chain `[B]`. */
export type StepStarts = { observations: tf.Tensor2D; x: tf.Tensor2D; step: tf.Tensor1D };
/** Single transitions, which lead to `next`, `[B, A]`. */
export type StepPairs = StepStarts & { next: tf.Tensor2D };

/** Transitions of a minibatch, with what they were worth and how likely to the policy that gathered them. */
export type PpoInputs = StepPairs & {
  oldLogForward: tf.Tensor1D;
  oldLogBackward: tf.Tensor1D;
  oldMean: tf.Tensor2D;
  oldStd: tf.Tensor2D;
  advantages: tf.Tensor1D;
  returns: tf.Tensor1D;
  clip: tf.Tensor1D;
};

/** The kernels of transitions, `[B, A]`, and log-densities, `[B]`, of the policy and of what undoes it. */
export type StepDensities = Moments & { forward: tf.Tensor1D; backward: tf.Tensor1D };

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
 * Proximal policy optimisation (Schulman et al. 2017) of a policy that decides in K >= 1 steps: rollouts, advantages,
 * minibatches, the clipped surrogate on single steps. A Gaussian policy has K = 1.
 *
 * **Subclass requirements.** Those of {@link BaseAgent}, but `explore` and `evaluate` stand for `policy` and see normalised
 * observations; `densities` and `valueAt` are traceable.
 */
export abstract class OnPolicyAgent<Options extends OptionValues<typeof onPolicyOptions>> extends BaseAgent<
  Options,
  Chains
> {
  /** None: it learns from its own actions only. */
  readonly warmupSteps = 0;
  private readonly rollout = this.own('rollout', new AugmentedRollout());
  private readonly moments = this.own('moments', new RunningMoments(this.sizes.observationSize));
  private readonly rewardScale = this.own('rewardScale', new RewardScale(this.options.gamma));
  private readonly shuffle = this.own('shuffle', Rng.fromSeed(this.options.seed).split('shuffle'));
  /** Environment steps observed. */
  protected readonly steps = this.own('steps', new StepCounter());

  private readonly price = this.program((rows: StepPairs) => {
    const { mean, std, forward, backward } = this.densities(rows);
    return { mean, std, logForward: forward, logBackward: backward, value: this.valueAt(rows) };
  });
  private readonly values = this.program((rows: StepStarts) => ({ value: this.valueAt(rows) }));
  private readonly updateBoth = this.updateProgram((inputs: PpoInputs) => this.gradientStep(inputs));

  protected abstract readonly actor: { readonly variables: Variables };
  protected abstract readonly value: { readonly variables: Variables };
  protected abstract readonly actorAdam: Adam;
  protected abstract readonly valueAdam: Adam;
  /** The clipping bound of every step of the chain, `[K]`. */
  protected abstract readonly clips: readonly number[];

  /** Actions in [-1, 1] to gather data, with the chains that end in them. */
  protected abstract explore(
    seen: Float32Array,
    draw: NoiseSource,
  ): Promise<{ latents: Float32Array; actions: Float32Array }>;
  /** Actions in [-1, 1] that show what was learned. */
  protected abstract evaluate(seen: Float32Array, draw: NoiseSource): Promise<Choice<Chains>>;
  protected abstract densities(rows: StepPairs): StepDensities;
  /** `[B]` */
  protected abstract valueAt(rows: StepStarts): tf.Tensor1D;

  /** How discounts are spread over the steps of the chain. */
  protected readonly discountMode: DiscountMode = 'phase';
  protected readonly updateScaling: UpdateScaling = 'minibatches';

  /** An update stops early when {@link kl} of a minibatch exceeds this. */
  protected readonly largestKl: number = Infinity;

  /** Where the chains of `rows` successors start. */
  protected nextLatents(rows: number): Float32Array {
    return new Float32Array(rows * this.sizes.actionSize);
  }

  /** The price of one nat in the returns. */
  protected async temperatureNow(): Promise<number> {
    return 0;
  }

  protected async policy(observations: Float32Array, _rows: number, draw: NoiseSource, explore: boolean) {
    if (!explore) return this.evaluate(this.normalised(observations), draw);
    this.rollout.cut(this.normalised(observations)); // an environment may have begun anew, as some do when a run is resumed
    if (this.options.normaliseObservations) this.moments.add(observations);
    const seen = this.normalised(observations);
    const { latents, actions } = await this.explore(seen, draw);
    return { actions, memory: { observations: seen, latents } };
  }

  protected experience({ transitions, memory }: Experience<Chains>): void {
    if (transitions.lost?.some(Boolean)) {
      this.rollout.cut();
      return;
    }
    if (!memory) {
      throw new ArgumentError(
        `${this.name}.observe: the actions must be those that act() decided on. ${this.name} learns from its own actions only: train it without warm-up, and hand on its decision unchanged.`,
      );
    }
    const { rewards, nextObservations, terminated, truncated } = transitions;
    const next = this.normalised(nextObservations);
    const nextLatents = new Float32Array(rewards.length * this.sizes.actionSize);
    this.rollout.add({ ...memory, rewards, nextObservations: next, nextLatents, terminated, truncated });
    nextLatents.set(this.nextLatents(rewards.length));
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
    return this.learnFrom(await this.lesson(this.rollout.take(), rowsPerStep));
  }

  /** Gradient steps over shuffled minibatches until the epochs are over or the policy has moved far enough. */
  private async learnFrom(lesson: Lesson): Promise<Metrics> {
    const { epochs, minibatchSize: size } = this.options;
    const outer = lesson.records.rewards.length;
    const results: Metrics[] = [];
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const indices of minibatches(this.shuffle, lesson.index, { outer, size, scaling: this.updateScaling })) {
        const result = numbers(await this.updateBoth(this.updateInputs(lesson, indices)));
        this.updates++;
        results.push(result);
        if ((result.chainKl as number) > this.largestKl) return this.summary(results);
      }
    }
    return this.summary(results);
  }

  /** Means over the minibatches; the KL is that at the end. */
  protected summary(results: Metrics[]): Metrics {
    const last = results.at(-1) as Metrics;
    const averages = Object.keys(last).map((name) => [name, mean(results.map((result) => result[name] as number))]);
    return { ...Object.fromEntries(averages), chainKl: last.chainKl as number, gradientSteps: results.length };
  }

  private async lesson(records: AugmentedRecords, numEnvs: number): Promise<Lesson> {
    const index = new TransitionIndex(numEnvs, this.clips.length);
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
    const { scaleRewards, gamma, lambda } = this.options;
    const scale = scaleRewards ? this.rewardScale.value : 1;
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
    const discounts = augmentedDiscounts({ diffusionSteps: this.clips.length, gamma, lambda, mode: this.discountMode });
    return augmentedGae(segment, await this.temperatureNow(), discounts);
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

  /** One gradient step of policy and value network. */
  protected gradientStep(inputs: PpoInputs): Record<string, tf.Tensor> {
    const { maxGradientNorm } = this.options;
    const actor = lossAndGradients(this.actor.variables, () => this.actorLoss(inputs));
    const critic = lossAndGradients(this.value.variables, () => ({
      loss: tf.mul<tf.Scalar>(tf.mean(tf.squaredDifference(this.valueAt(inputs), inputs.returns)), 0.5),
    }));
    this.actorAdam.apply(clipGlobalNorm(actor.gradients, maxGradientNorm));
    this.valueAdam.apply(clipGlobalNorm(critic.gradients, maxGradientNorm));
    const { loss: actorLoss, ...measured } = actor.results;
    return { actorLoss, valueLoss: critic.results.loss, ...measured };
  }

  /** The clipped surrogate of a minibatch, and how far the policy is from the one that gathered it. */
  protected actorLoss(inputs: PpoInputs, temperature: tf.Scalar | number = 0, recomputeEntropy = false) {
    const { mean, std, forward, backward } = this.densities(inputs);
    const batch = { ...inputs, logForward: forward, logBackward: backward, temperature };
    const { loss, clipped } = ppoStepLoss(batch, { normalise: this.options.normaliseAdvantages, recomputeEntropy });
    return {
      loss: tf.mean<tf.Scalar>(this.weighted(loss, inputs.step)),
      chainKl: this.kl({ mean: inputs.oldMean, std: inputs.oldStd }, { mean, std }),
      clipFraction: tf.mean<tf.Scalar>(clipped),
      runCost: this.chainMean(tf.sub(forward, backward)),
    };
  }

  /** Losses of transitions, each times what its step of the chain counts. */
  protected weighted(loss: tf.Tensor1D, _step: tf.Tensor1D): tf.Tensor1D {
    return loss;
  }

  /** How far a policy has moved: that of the whole chain. */
  protected kl(from: Moments, to: Moments): tf.Scalar {
    return this.chainMean(stepKl(from, to));
  }

  /** A sum over the chain, estimated from rows at steps drawn uniformly. */
  protected chainMean(perStep: tf.Tensor): tf.Scalar {
    return tf.mul(tf.mean(perStep), this.clips.length);
  }

  /** Observations as the networks see them. */
  protected normalised(observations: Float32Array): Float32Array {
    return this.options.normaliseObservations ? this.moments.normalise(observations) : observations;
  }

  /** {@link normalised} with the moments of now, as part of an exported policy. */
  protected get preprocess(): (observations: tf.Tensor2D) => tf.Tensor2D {
    return this.options.normaliseObservations ? this.moments.asProgram() : (observations) => observations;
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
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
