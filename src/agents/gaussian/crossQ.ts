import * as tf from '@tensorflow/tfjs-core';
import { GaussianSampler } from '../../diffusion/gaussian.js';
import { batchRenormOptions } from '../../networks/batchRenorm.js';
import { BatchRenormMlp } from '../../networks/batchRenormMlp.js';
import { crossQCritic } from '../../networks/crossQCritic.js';
import { objectiveOption } from '../../objectives/criticObjective.js';
import { crossQLoss } from '../../objectives/crossQLoss.js';
import { scalarObjective } from '../../objectives/scalar.js';
import { Temperature } from '../../objectives/temperature.js';
import { Adam, adamOption, learningRateOption } from '../../ops/adam.js';
import { lossAndGradients } from '../../ops/gradients.js';
import { group, integer, number, type OptionValues, widths } from '../../options.js';
import type { ReplayBatch } from '../../replay/replayBuffer.js';
import type { StateArray } from '../../state.js';
import type { Metrics } from '../agent.js';
import { matrix } from '../arrays.js';
import type { AgentOptions } from '../baseAgent.js';
import type { ExportableAgent, PolicyGraph } from '../exportOnnx.js';
import type { NoiseSource } from '../noiseSource.js';
import { type BatchTensors, OffPolicyAgent, offPolicyOptions } from '../offPolicyAgent.js';
import { numbers } from '../program.js';

const crossQOptions = {
  ...offPolicyOptions,
  actorHidden: widths([256, 256], 'Hidden layers of the policy.'),
  criticHidden: widths([2048, 2048], 'Hidden layers of both critics.'),
  critic: objectiveOption,
  batchRenorm: group(batchRenormOptions, 'Of the batch renormalisation in policy and critics.'),
  policyDelay: integer(3, { min: 1 }, 'Critic updates to each update of policy and temperature.'),
  temperature: number(1, { above: 0 }, 'Temperature at the start.'),
  targetEntropy: number(-1, {}, 'Entropy per action dimension that the temperature steers to, in nats.'),
  actorLearningRate: learningRateOption(1e-3, 'Of the policy.'),
  criticLearningRate: learningRateOption(1e-3, 'Of the critics.'),
  temperatureLearningRate: number(1e-3, { min: 0 }, "Of Adam on the temperature's logarithm; 0 keeps it fixed."),
  adam: adamOption({ beta1: 0.5 }, 'The optimisers of policy and critics.'),
};

export type CrossQOptions = AgentOptions<typeof crossQOptions>;

/** Standard normal noise of one gradient step, `[batchSize * A]` each. */
export interface CrossQNoise {
  next: Float32Array;
  /** Given if the policy's update is due. */
  current?: Float32Array;
}

/** What the policy sees. */
type Seen = { observations: tf.Tensor2D; noise: tf.Tensor2D };

/**
 * CrossQ (Bhatt et al. 2024, "Batch Normalization in Deep Reinforcement Learning for Greater Sample Efficiency and
 * Simplicity"): SAC without target networks; batch renormalisation in policy and critics, current and next pairs in one batch.
 * Evaluates at the mean of the Gaussian. Defaults are those of the authors' code.
 *
 * @example
 * ```ts
 * const agent = await CrossQAgent.create({ env, seed: 1, criticHidden: [256, 256] });
 * await train({ agent, env, steps: 100_000 });
 * ```
 */
export class CrossQAgent
  extends OffPolicyAgent<OptionValues<typeof crossQOptions>, CrossQNoise>
  implements ExportableAgent
{
  static readonly kind = 'CrossQAgent';
  static readonly options = crossQOptions;

  /** @throws ArgumentError for an option out of range or an unbounded action space */
  static create(options: CrossQOptions): Promise<CrossQAgent> {
    return CrossQAgent.make(CrossQAgent, options, (compiler) => new CrossQAgent(CrossQAgent, options, compiler));
  }

  readonly name = 'CrossQ';
  readonly sampler = this.own('actor', this.newSampler());
  private readonly critic = this.own(
    'critic',
    this.valueCritic(
      crossQCritic({ hidden: this.options.criticHidden, batchRenorm: this.options.batchRenorm }),
      this.options.critic ?? scalarObjective('min'),
    ),
  );
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

  private readonly actions = this.program(({ observations, noise }: Seen) => ({
    actions: this.sampler.actions(observations, noise),
  }));
  private readonly updateCritic = this.updateProgram((inputs: BatchTensors & { noise: tf.Tensor2D }) =>
    this.criticStep(inputs),
  );
  private readonly updateActor = this.updateProgram((inputs: Seen) => this.actorStep(inputs));

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

  protected drawNoise(): CrossQNoise {
    const draw = () => this.noise.normals(this.batchSize * this.sizes.actionSize);
    const next = draw();
    return (this.updates + 1) % this.options.policyDelay === 0 ? { next, current: draw() } : { next };
  }

  /** One critic update, then one of policy and temperature when it is due. */
  protected async gradientStep(batch: ReplayBatch, { next, current }: CrossQNoise): Promise<Metrics> {
    const inputs = this.batchInputs(batch);
    const metrics = numbers(await this.updateCritic({ ...inputs, noise: this.shaped(next) }));
    this.updates++;
    if (!current) return metrics;
    const { observations } = inputs;
    return { ...metrics, ...numbers(await this.updateActor({ observations, noise: this.shaped(current) })) };
  }

  /** The critics towards the soft Bellman target. */
  private criticStep(inputs: BatchTensors & { noise: tf.Tensor2D }) {
    const { observations, actions, rewards, nextObservations, weights } = inputs;
    const next = this.sampler.sample(nextObservations, inputs.noise);
    const costs: tf.Tensor1D = tf.mul(this.temperature.value(), next.totalCost);
    const { results, gradients } = lossAndGradients(this.critic.variables, () =>
      crossQLoss(
        this.critic,
        { observations, actions },
        { observations: nextObservations, actions: next.action },
        { rewards, discounts: this.discounts(inputs), costs },
        weights,
      ),
    );
    this.criticAdam.apply(gradients);
    this.critic.project();
    return this.criticResults(results);
  }

  /** The policy up the smaller value and its entropy, then the temperature. */
  private actorStep({ observations, noise }: Seen) {
    const temperature = this.temperature.value();
    const { results, gradients } = lossAndGradients(this.sampler.variables, () => {
      const { action, totalCost } = this.sampler.sample(observations, noise, { training: true });
      const value = tf.minimum(...this.critic.apply(observations, action));
      return {
        loss: tf.mean<tf.Scalar>(tf.sub(tf.mul(temperature, totalCost), value)),
        cost: tf.mean<tf.Scalar>(totalCost),
      };
    });
    this.actorAdam.apply(gradients);
    this.temperature.step(results.cost, -this.options.targetEntropy * this.sizes.actionSize);
    return { actorLoss: results.loss, entropy: tf.neg(results.cost), temperature: this.temperature.value() };
  }

  private newSampler(): GaussianSampler {
    const { actorHidden: hidden, batchRenorm } = this.options;
    const sampler = new GaussianSampler({
      network: (rng, sizes) => new BatchRenormMlp(rng, { ...sizes, hidden, batchRenorm }),
    });
    return sampler.build(this.networks.split('actor'), this.sizes);
  }

  private shaped(data: Float32Array): StateArray {
    return matrix(data, this.sizes.actionSize);
  }

  private readonly noiseShape = (rows: number) => this.sampler.noiseShape(rows);
}
