import * as tf from '@tensorflow/tfjs-core';
import { GaussianSampler } from '../../diffusion/gaussian.js';
import { twinCritic } from '../../networks/twinCritic.js';
import { objectiveOption } from '../../objectives/criticObjective.js';
import { smallerValue } from '../../objectives/scalar.js';
import { Temperature } from '../../objectives/temperature.js';
import { Adam, adamOption, learningRateOption } from '../../ops/adam.js';
import { moveTowards } from '../../ops/ema.js';
import { lossAndGradients } from '../../ops/gradients.js';
import { number, type OptionValues, widths } from '../../options.js';
import type { ReplayBatch } from '../../replay/replayBuffer.js';
import type { StateArray } from '../../state.js';
import type { Metrics } from '../agent.js';
import { matrix } from '../arrays.js';
import type { AgentOptions } from '../baseAgent.js';
import type { ExportableAgent, PolicyGraph } from '../exportOnnx.js';
import type { NoiseSource } from '../noiseSource.js';
import { type BatchTensors, OffPolicyAgent, offPolicyOptions } from '../offPolicyAgent.js';
import { numbers } from '../program.js';

const sacOptions = {
  ...offPolicyOptions,
  hidden: widths([256, 256], 'Hidden layers of the policy and of both critics, ReLU.'),
  temperature: number(1, { above: 0 }, 'Temperature at the start.'),
  targetEntropy: number(-1, {}, 'Entropy per action dimension that the temperature steers to, in nats.'),
  critic: objectiveOption,
  targetRate: number(0.005, { above: 0, max: 1 }, 'How far target critics move in an update.'),
  actorLearningRate: learningRateOption(3e-4, 'Of the policy.'),
  criticLearningRate: learningRateOption(3e-4, 'Of the critics.'),
  adam: adamOption({}, 'The optimisers of policy and critics.'),
  temperatureLearningRate: number(3e-4, { min: 0 }, "Of Adam on the temperature's logarithm; 0 keeps it fixed."),
};

export type SacOptions = AgentOptions<typeof sacOptions>;

/** Standard normal noise of one gradient step, `[batchSize * A]` each. */
export interface SacNoise {
  next: Float32Array;
  current: Float32Array;
}

type Noises = { nextNoise: tf.Tensor2D; currentNoise: tf.Tensor2D };

/**
 * SAC (Haarnoja et al. 2018, "Soft Actor-Critic Algorithms and Applications"): a tanh-Gaussian policy, twin critics with
 * moving targets, and a temperature tuned to a target entropy. Evaluates at the mean of the Gaussian. Defaults are the
 * paper's.
 *
 * @example
 * ```ts
 * const agent = await SacAgent.create({ env, seed: 1 });
 * await train({ agent, env, steps: 100_000 });
 * ```
 */
export class SacAgent extends OffPolicyAgent<OptionValues<typeof sacOptions>, SacNoise> implements ExportableAgent {
  static readonly kind = 'SacAgent';
  static readonly options = sacOptions;

  /** @throws ArgumentError for an option out of range or an unbounded action space */
  static create(options: SacOptions): Promise<SacAgent> {
    return SacAgent.make(SacAgent, options, (compiler) => new SacAgent(SacAgent, options, compiler));
  }

  readonly name = 'SAC';
  readonly sampler = this.own(
    'actor',
    new GaussianSampler({ hidden: this.options.hidden, activation: tf.relu }).build(
      this.networks.split('actor'),
      this.sizes,
    ),
  );
  private readonly critic = this.own(
    'critic',
    this.valueCritic(
      twinCritic({ hidden: this.options.hidden, activation: tf.relu }),
      this.options.critic ?? smallerValue,
    ),
  );
  private readonly targetCritic = this.own('targetCritic', this.critic.twin());
  private readonly temperature = this.own(
    'temperature',
    new Temperature({ initial: this.options.temperature, learningRate: this.options.temperatureLearningRate }),
  );
  private readonly actorAdam = this.own(
    'actorAdam',
    new Adam(this.sampler.variables, { ...this.options.adam, learningRate: this.options.actorLearningRate }),
  );
  private readonly criticAdam = this.own(
    'criticAdam',
    new Adam(this.critic.variables, { ...this.options.adam, learningRate: this.options.criticLearningRate }),
  );

  private readonly actions = this.program(
    ({ observations, noise }: { observations: tf.Tensor2D; noise: tf.Tensor2D }) => ({
      actions: this.sampler.actions(observations, noise),
    }),
  );
  private readonly step = this.updateProgram((inputs: BatchTensors & Noises) => {
    const temperature = this.temperature.value();
    const critic = this.criticStep(inputs, temperature);
    const actor = this.actorStep(inputs, temperature);
    moveTowards(this.targetCritic.variables, this.critic.variables, this.options.targetRate);
    return { ...critic, ...actor, temperature: this.temperature.value() };
  });

  protected policy(observations: Float32Array, rows: number, draw: NoiseSource, explore: boolean) {
    const noise = explore ? draw(this.noiseShape, rows) : this.shaped(new Float32Array(rows * this.sizes.actionSize));
    return this.actions({ observations: matrix(observations, this.sizes.observationSize), noise });
  }

  policyGraph(rows: number): PolicyGraph {
    return {
      inputs: { observation: { shape: [rows, this.sizes.observationSize] }, noise: { shape: this.noiseShape(rows) } },
      program: ({ observation, noise }) => ({ action: this.sampler.actions(observation, noise, 'mean') }),
    };
  }

  protected drawNoise(): SacNoise {
    const draw = () => this.noise.normals(this.batchSize * this.sizes.actionSize);
    return { next: draw(), current: draw() };
  }

  /** One update of critics, policy, temperature and target critics. */
  protected async gradientStep(batch: ReplayBatch, { next, current }: SacNoise): Promise<Metrics> {
    const noises = { nextNoise: this.shaped(next), currentNoise: this.shaped(current) };
    const metrics = numbers(await this.step({ ...this.batchInputs(batch), ...noises }));
    this.updates++;
    return metrics;
  }

  /** Both critics towards the smaller target value of the next state, less the price of its action. */
  private criticStep(inputs: BatchTensors & Noises, temperature: tf.Scalar) {
    const { observations, actions, rewards, nextObservations, nextNoise, weights } = inputs;
    const next = this.sampler.sample(nextObservations, nextNoise);
    const costs: tf.Tensor1D = tf.mul(temperature, next.totalCost);
    const bellman = { rewards, discounts: this.discounts(inputs), costs };
    const target = this.targetCritic.target(nextObservations, next.action, bellman);
    const { results, gradients } = lossAndGradients(this.critic.variables, () =>
      this.critic.loss(observations, actions, target, weights),
    );
    this.criticAdam.apply(gradients);
    return this.criticResults(results);
  }

  /** The policy up the smaller value and its entropy, then the temperature. */
  private actorStep({ observations, currentNoise }: BatchTensors & Noises, temperature: tf.Scalar) {
    const { results, gradients } = lossAndGradients(this.sampler.variables, () => {
      const { action, totalCost } = this.sampler.sample(observations, currentNoise);
      const value = tf.minimum(...this.critic.apply(observations, action));
      return {
        loss: tf.mean<tf.Scalar>(tf.sub(tf.mul(temperature, totalCost), value)),
        cost: tf.mean<tf.Scalar>(totalCost),
      };
    });
    this.actorAdam.apply(gradients);
    this.temperature.step(results.cost, -this.options.targetEntropy * this.sizes.actionSize);
    return { actorLoss: results.loss, entropy: tf.neg(results.cost) };
  }

  private shaped(data: Float32Array): StateArray {
    return matrix(data, this.sizes.actionSize);
  }

  private readonly noiseShape = (rows: number) => this.sampler.noiseShape(rows);
}
