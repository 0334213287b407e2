import * as tf from '@tensorflow/tfjs-core';
import { GaussianSampler } from '../../diffusion/gaussian.js';
import { tanhSquash } from '../../diffusion/squash.js';
import { BroNet, broCritic } from '../../networks/broNet.js';
import type { ActionValues } from '../../objectives/actionValues.js';
import { objectiveOption } from '../../objectives/criticObjective.js';
import { quantileObjective } from '../../objectives/quantile.js';
import { Temperature } from '../../objectives/temperature.js';
import { Adam, adamOption, type LearningRate, learningRateOption } from '../../ops/adam.js';
import { moveTowards } from '../../ops/ema.js';
import { lossAndGradients } from '../../ops/gradients.js';
import { stopGradient } from '../../ops/stopGradient.js';
import { type Variables, variablesAsState } from '../../ops/variables.js';
import { integer, integers, number, type OptionValues } from '../../options.js';
import type { ReplayBatch } from '../../replay/replayBuffer.js';
import { Rng } from '../../rng/rng.js';
import { loadState, type StateArray } from '../../state.js';
import type { Metrics } from '../agent.js';
import { matrix } from '../arrays.js';
import type { AgentOptions, Experience } from '../baseAgent.js';
import type { ExportableAgent, PolicyGraph } from '../exportOnnx.js';
import type { NoiseSource } from '../noiseSource.js';
import { type BatchTensors, OffPolicyAgent, offPolicyOptions, updatesPerTransition } from '../offPolicyAgent.js';
import { numbers } from '../program.js';
import { StepCounter } from '../stepCounter.js';

const broOptions = {
  ...offPolicyOptions,
  batchSize: integer(128, { min: 1 }, 'Transitions of a gradient step.'),
  updatesPerTransition: updatesPerTransition(10),
  warmupSteps: integer(2500, { min: 0 }, 'Uniformly random environment steps at the start.'),
  criticWidth: integer(512, { min: 1, max: 65_536 }, 'Width of both critics.'),
  criticBlocks: integer(2, { min: 0 }, 'Residual blocks of both critics.'),
  actorWidth: integer(256, { min: 1, max: 65_536 }, 'Width of both policies.'),
  actorBlocks: integer(1, { min: 0 }, 'Residual blocks of both policies.'),
  quantiles: integer(100, { min: 1 }, 'Quantiles of the return that a critic tells.'),
  critic: objectiveOption,
  resets: integers(
    [15_001, 50_001, 250_001, 500_001, 750_001, 1_000_001, 1_500_001, 2_000_001],
    { min: 1 },
    'Environment steps at which all that is learned, but for replay, starts anew.',
  ),
  temperature: number(1, { above: 0 }, 'Temperature at the start.'),
  targetEntropy: number(-0.5, {}, 'Entropy per action dimension that the temperature steers to, in nats.'),
  optimism: number(1, { above: 0 }, "Weight of the critics' disagreement in exploring, at the start."),
  optimismKlWeight: number(0.25, { above: 0 }, "Weight of the exploring policy's KL from the policy, at the start."),
  optimismTargetKl: number(0.05, { above: 0 }, 'That KL per action dimension, which both weights steer to.'),
  optimismStd: number(0.75, { above: 0 }, "The exploring policy's standard deviation, times the policy's."),
  targetRate: number(0.005, { above: 0, max: 1 }, 'How far target critics move in an update.'),
  actorLearningRate: learningRateOption(3e-4, 'Of both policies.'),
  criticLearningRate: learningRateOption(3e-4, 'Of the critics.'),
  adam: adamOption({}, 'The optimisers of policies and critics.'),
  optimismLearningRate: number(3e-5, { min: 0 }, 'Of the two weights of the exploring policy.'),
  temperatureLearningRate: number(3e-4, { min: 0 }, "Of Adam on the temperature's logarithm; 0 keeps it fixed."),
  weightDecay: number(1e-4, { min: 0 }, 'Of AdamW for policies and critics.'),
};

export type BroOptions = AgentOptions<typeof broOptions>;

/** BRO (Fast): fewer updates, one reset. Spread it into the options. */
export const broPresets = { fast: { updatesPerTransition: 2, resets: [15_001] } } as const;

/** Standard normal noise of one gradient step, `[batchSize * A]` each. */
export interface BroNoise {
  next: Float32Array;
  current: Float32Array;
  optimistic: Float32Array;
}

type Noises = { nextNoise: tf.Tensor2D; currentNoise: tf.Tensor2D; optimisticNoise: tf.Tensor2D };
type Seen = { observations: tf.Tensor2D; noise: tf.Tensor2D };

/**
 * BRO (Nauman et al. 2024, "Bigger, Regularized, Optimistic"): SAC with BroNets, critics of 100 quantiles whose mean is taken in
 * place of the smaller one, AdamW, ten updates a step, and full resets. Data are gathered by a second policy, whose mean is a
 * shift from the policy's and which climbs the critics' mean plus their disagreement, near the policy in KL (of the means). Evaluates at
 * the mean of the policy. Defaults are those of the authors' code; `...broPresets.fast` is BRO (Fast). Two things differ: the
 * disagreement is that of expected returns (there of quantile with quantile), and Adam moves the logarithms of the two weights
 * (there an inverse tanh of their place between e^-10 and e^7.5, which moves some eight times as fast).
 *
 * @example
 * ```ts
 * const agent = await BroAgent.create({ env, seed: 1, ...broPresets.fast });
 * await train({ agent, env, steps: 100_000 });
 * ```
 */
export class BroAgent extends OffPolicyAgent<OptionValues<typeof broOptions>, BroNoise> implements ExportableAgent {
  static readonly kind = 'BroAgent';
  static readonly options = broOptions;

  /** @throws ArgumentError for an option out of range or an unbounded action space */
  static create(options: BroOptions): Promise<BroAgent> {
    return BroAgent.make(BroAgent, options, (compiler) => new BroAgent(BroAgent, options, compiler));
  }

  readonly name = 'BRO';
  private readonly learner = this.newLearner(this.networks);
  readonly sampler = this.learner.actor;
  private readonly seen = this.own('seen', new StepCounter());
  private readonly resetsDone = this.own('resetsDone', new StepCounter());
  private readonly renewal = this.own('renewal', Rng.fromSeed(this.options.seed).split('renewal'));

  private readonly means = this.program(({ observations }: { observations: tf.Tensor2D }) => ({
    actions: tanhSquash.apply(this.sampler.moments(observations).mean),
  }));
  private readonly exploring = this.program(({ observations, noise }: Seen) => ({
    actions: this.optimistic(observations, noise).actions,
  }));
  private readonly step = this.updateProgram((inputs: BatchTensors & Noises) => this.updateAll(inputs));

  protected policy(data: Float32Array, rows: number, draw: NoiseSource, explore: boolean) {
    const observations = matrix(data, this.sizes.observationSize);
    return explore
      ? this.exploring({ observations, noise: draw(this.noiseShape, rows) })
      : this.means({ observations });
  }

  policyGraph(rows: number): PolicyGraph {
    return {
      inputs: { observation: { shape: [rows, this.sizes.observationSize] }, noise: { shape: this.noiseShape(rows) } },
      program: ({ observation }) => ({ action: tanhSquash.apply(this.sampler.moments(observation).mean) }),
    };
  }

  protected override experience(experience: Experience<never>): void {
    super.experience(experience);
    this.seen.value += experience.transitions.rewards.length;
  }

  protected override async learnDue(): Promise<Metrics> {
    const due = this.options.resets.filter((at) => at <= this.seen.value).length;
    if (due > this.resetsDone.value) await this.reset(due);
    return super.learnDue();
  }

  /** Everything learned starts from new random numbers. */
  private async reset(count: number): Promise<void> {
    const fresh = this.makeParts(Rng.fromSeed(this.renewal.integer(2 ** 31)));
    for (const [name, part] of Object.entries(fresh)) {
      await loadState(asStateful(this.learner[name as keyof Learner]), await asStateful(part).state());
      part.dispose();
    }
    this.resetsDone.value = count;
  }

  protected drawNoise(): BroNoise {
    const draw = () => this.noise.normals(this.batchSize * this.sizes.actionSize);
    return { next: draw(), current: draw(), optimistic: draw() };
  }

  protected async gradientStep(batch: ReplayBatch, { next, current, optimistic }: BroNoise): Promise<Metrics> {
    const noises = {
      nextNoise: this.shaped(next),
      currentNoise: this.shaped(current),
      optimisticNoise: this.shaped(optimistic),
    };
    const metrics = numbers(await this.step({ ...this.batchInputs(batch), ...noises }));
    this.updates++;
    return metrics;
  }

  /** Critics, policy with temperature, exploring policy with its weights, target critics. */
  private updateAll(inputs: BatchTensors & Noises) {
    const { critic, targetCritic, temperature } = this.learner;
    const results = {
      ...this.criticStep(inputs),
      ...this.actorStep(inputs),
      ...this.optimisticStep(inputs),
      temperature: temperature.value(),
    };
    moveTowards(targetCritic.variables, critic.variables, this.options.targetRate);
    return results;
  }

  /** Both critics' quantiles towards the mean of the target critics' at the next state, less the price of its action. */
  private criticStep(inputs: BatchTensors & Noises) {
    const { observations, actions, rewards, nextObservations, nextNoise, weights } = inputs;
    const { critic, targetCritic, criticAdam, temperature } = this.learner;
    const next = this.sampler.sample(nextObservations, nextNoise);
    const costs: tf.Tensor1D = tf.mul(temperature.value(), next.totalCost);
    const bellman = { rewards, discounts: this.discounts(inputs), costs };
    const target = targetCritic.target(nextObservations, next.action, bellman);
    const { results, gradients } = lossAndGradients(critic.variables, () =>
      critic.loss(observations, actions, target, weights),
    );
    criticAdam.apply(gradients);
    return this.criticResults(results);
  }

  /** The policy up the mean of both critics and its entropy, then the temperature. */
  private actorStep({ observations, currentNoise }: BatchTensors & Noises) {
    const { actorAdam, temperature } = this.learner;
    const price = temperature.value();
    const { results, gradients } = lossAndGradients(this.sampler.variables, () => {
      const { action, totalCost } = this.sampler.sample(observations, currentNoise);
      const { mean } = this.values(observations, action);
      return {
        loss: tf.mean<tf.Scalar>(tf.sub(tf.mul(price, totalCost), mean)),
        cost: tf.mean<tf.Scalar>(totalCost),
      };
    });
    actorAdam.apply(gradients);
    temperature.step(results.cost, -this.options.targetEntropy * this.sizes.actionSize);
    return { actorLoss: results.loss, entropy: tf.neg(results.cost) };
  }

  /** The exploring policy up the critics' upper bound, near the policy; then the weights of both towards the target KL. */
  private optimisticStep({ observations, optimisticNoise }: BatchTensors & Noises) {
    const { shift, shiftAdam, optimism, klWeight } = this.learner;
    const { results, gradients } = lossAndGradients(shift.variables, () => {
      const { actions, kl } = this.optimistic(observations, optimisticNoise);
      const { mean, disagreement } = this.values(observations, actions);
      const bound = tf.add(mean, tf.mul(disagreement, optimism.value()));
      return { loss: tf.mean<tf.Scalar>(tf.sub(tf.mul(kl, klWeight.value()), bound)), kl: tf.mean<tf.Scalar>(kl) };
    });
    shiftAdam.apply(gradients);
    const target = this.options.optimismTargetKl * this.sizes.actionSize;
    optimism.step(tf.neg(results.kl), -target);
    klWeight.step(results.kl, target);
    return { optimismKl: results.kl, optimism: optimism.value() };
  }

  /** Actions of the exploring policy, and its KL from the policy but for the deviations, `[B]`. */
  private optimistic(observations: tf.Tensor2D, noise: tf.Tensor2D): { actions: tf.Tensor2D; kl: tf.Tensor1D } {
    const { mean, logStd } = this.sampler.moments(observations);
    const [centre, std] = [stopGradient(mean), stopGradient(tf.exp(logStd))];
    const shift = this.learner.shift.apply(tf.concat([observations, centre], 1));
    const drawn = tf.add(tf.add(centre, shift), tf.mul(tf.mul(std, this.options.optimismStd), noise)) as tf.Tensor2D;
    return { actions: tanhSquash.apply(drawn), kl: tf.mul(tf.sum(tf.square(tf.div(shift, std)), 1), 0.5) };
  }

  /** Mean of both critics' values, and half their difference, `[B]`. */
  private values(observations: tf.Tensor2D, actions: tf.Tensor2D): Record<'mean' | 'disagreement', tf.Tensor1D> {
    const [first, second] = this.learner.critic.apply(observations, actions);
    return {
      mean: tf.mul(tf.add(first, second), 0.5),
      disagreement: tf.mul(tf.abs(tf.sub(first, second)), 0.5),
    };
  }

  private newLearner(rng: Rng): Learner {
    const parts = this.makeParts(rng);
    for (const [name, part] of Object.entries(parts)) this.own(name, part as Variables & { dispose(): void });
    return parts;
  }

  private makeParts(rng: Rng): Learner {
    const { options, sizes } = this;
    const { actorWidth, actorBlocks, optimismLearningRate, weightDecay } = options;
    const adamOf = (learningRate: LearningRate) => ({ ...options.adam, learningRate, weightDecay });
    const network = (random: Rng, { inputs, outputs }: { inputs: number; outputs: number }) =>
      boundedDeviation(new BroNet(random, { inputs, outputs, width: actorWidth, blocks: actorBlocks }));
    const actor = new GaussianSampler({ network }).build(rng.split('actor'), sizes);
    const shift = new BroNet(rng.split('shift'), {
      ...{ inputs: sizes.observationSize + sizes.actionSize, outputs: sizes.actionSize, lastGain: 0.01 },
      ...{ width: actorWidth, blocks: actorBlocks },
    });
    const { criticWidth: width, criticBlocks: blocks, quantiles } = options;
    const objective = options.critic ?? quantileObjective({ quantiles });
    const critic = this.valueCritic(broCritic({ width, blocks }), objective, rng);
    const weight = (initial: number, rate: number) => new Temperature({ initial, learningRate: rate, beta1: 0.5 });
    return {
      actor,
      shift,
      critic,
      targetCritic: critic.twin(),
      actorAdam: new Adam(actor.variables, adamOf(options.actorLearningRate)),
      shiftAdam: new Adam(shift.variables, adamOf(options.actorLearningRate)),
      criticAdam: new Adam(critic.variables, adamOf(options.criticLearningRate)),
      temperature: weight(options.temperature, options.temperatureLearningRate),
      optimism: weight(options.optimism, optimismLearningRate),
      klWeight: weight(options.optimismKlWeight, optimismLearningRate),
    };
  }

  private shaped(data: Float32Array): StateArray {
    return matrix(data, this.sizes.actionSize);
  }

  private readonly noiseShape = (rows: number) => [rows, this.sizes.actionSize];
}

/** All that is learned, which a reset makes anew. */
interface Learner {
  actor: GaussianSampler;
  shift: BroNet;
  critic: ActionValues;
  targetCritic: ActionValues;
  actorAdam: Adam;
  shiftAdam: Adam;
  criticAdam: Adam;
  temperature: Temperature;
  optimism: Temperature;
  klWeight: Temperature;
}

/** Log standard deviations in [-10, 2] by a tanh. */
function boundedDeviation(net: BroNet) {
  return {
    variables: net.variables,
    apply(x: tf.Tensor2D): tf.Tensor2D {
      const [mean, raw] = tf.split(net.apply(x), 2, 1) as [tf.Tensor2D, tf.Tensor2D];
      const logStd: tf.Tensor2D = tf.sub(tf.mul(tf.add(tf.tanh(raw), 1), 6), 10);
      return tf.concat([mean, logStd], 1);
    },
  };
}

function asStateful(part: Learner[keyof Learner]) {
  return 'prepare' in part ? part : variablesAsState(part.variables);
}
