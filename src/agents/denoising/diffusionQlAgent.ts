import * as tf from '@tensorflow/tfjs-core';
import { bestOf } from '../../diffusion/bestOf.js';
import { DdpmSampler, mishNetwork } from '../../diffusion/ddpm.js';
import { addNoise, noiseLevels } from '../../diffusion/noising.js';
import { TwinCritic } from '../../networks/twinCritic.js';
import { denoisingScoreMatchingLoss } from '../../objectives/denoising.js';
import { twinLoss } from '../../objectives/twinLoss.js';
import { mish } from '../../ops/activations.js';
import { Adam, adamOption, learningRateOption } from '../../ops/adam.js';
import { clipGlobalNorm } from '../../ops/clipGlobalNorm.js';
import { moveTowards } from '../../ops/ema.js';
import { lossAndGradients } from '../../ops/gradients.js';
import { stopGradient } from '../../ops/stopGradient.js';
import { integer, number, type OptionValues, widths } from '../../options.js';
import type { ReplayBatch } from '../../replay/replayBuffer.js';
import { variancePreservingSchedule } from '../../schedules/variancePreserving.js';
import type { StateArray } from '../../state.js';
import type { Metrics } from '../agent.js';
import { matrix } from '../arrays.js';
import type { AgentOptions } from '../baseAgent.js';
import type { ExportableAgent, PolicyGraph } from '../exportOnnx.js';
import type { NoiseSource } from '../noiseSource.js';
import { type BatchTensors, OffPolicyAgent, offPolicyOptions } from '../offPolicyAgent.js';
import { type Compiler, numbers } from '../program.js';

const diffusionQlOptions = {
  ...offPolicyOptions,
  diffusionSteps: integer(5, { min: 1 }, 'Steps of the variance-preserving chain.'),
  policyHidden: widths([256, 256, 256], "Hidden layers of the policy's network, Mish."),
  criticHidden: widths([256, 256, 256], 'Hidden layers of both critics, Mish.'),
  eta: number(1, { min: 0 }, 'Weight of the value beside denoising, with values in units of their mean size.'),
  particles: integer(50, { min: 1 }, 'Actions drawn when acting, of which one is taken by the target critics.'),
  targetRate: number(0.005, { above: 0, max: 1 }, 'How far target critics and the average policy move.'),
  averageEvery: integer(5, { min: 1 }, 'Gradient steps between two moves of the average policy.'),
  averageAfter: integer(1000, { min: 0 }, 'Gradient steps before its first move.'),
  maxGradientNorm: number(10, { above: 0 }, 'Largest norm of the gradients of policy and of critics.'),
  policyLearningRate: learningRateOption(3e-4, 'Of the policy.'),
  criticLearningRate: learningRateOption(3e-4, 'Of the critics.'),
  adam: adamOption({}, 'The optimisers of policy and critics.'),
};

export type DiffusionQlOptions = AgentOptions<typeof diffusionQlOptions>;

/** The random numbers of one gradient step. */
export interface DiffusionQlNoise {
  nextNoise: StateArray;
  currentNoise: StateArray;
  forwardNoise: StateArray;
  step: StateArray;
  /** 1 where the value is the first critic's over the size of the second's, 0 for the other way round. */
  side: StateArray;
}

type NoiseTensors = {
  nextNoise: tf.Tensor;
  currentNoise: tf.Tensor;
  forwardNoise: tf.Tensor2D;
  step: tf.Tensor1D;
  side: tf.Tensor;
};

/**
 * Diffusion-QL (Wang et al. 2023, "Diffusion Policies as an Expressive Policy Class for Offline Reinforcement Learning"),
 * online: a DDPM policy that is kept near replay by denoising and drawn up the critics by gradients through its whole chain.
 * Targets take the action of a moving average of the policy. Exploring draws among `particles` actions by the softmax of the
 * smaller target value; evaluation takes the best of them. Defaults are those of the authors' code.
 *
 * @example
 * ```ts
 * const agent = await DiffusionQlAgent.create({ env, seed: 1 });
 * await train({ agent, env, steps: 100_000 });
 * ```
 */
export class DiffusionQlAgent
  extends OffPolicyAgent<OptionValues<typeof diffusionQlOptions>, DiffusionQlNoise>
  implements ExportableAgent
{
  static readonly kind = 'DiffusionQlAgent';
  static readonly options = diffusionQlOptions;

  /** @throws ArgumentError for an option out of range or an unbounded action space */
  static create(options: DiffusionQlOptions): Promise<DiffusionQlAgent> {
    const make = (compiler: Compiler) => new DiffusionQlAgent(DiffusionQlAgent, options, compiler);
    return DiffusionQlAgent.make(DiffusionQlAgent, options, make);
  }

  readonly name = 'Diffusion-QL';
  readonly sampler = this.own('policy', this.newSampler());
  private readonly average = this.own('averagePolicy', this.sampler.twin());
  private readonly critic = this.own('critic', this.newCritic());
  private readonly targetCritic = this.own('targetCritic', this.newCritic());
  private readonly policyAdam = this.own(
    'policyAdam',
    new Adam(this.sampler.variables, { ...this.options.adam, learningRate: this.options.policyLearningRate }),
  );
  private readonly criticAdam = this.own(
    'criticAdam',
    new Adam(this.critic.variables, { ...this.options.adam, learningRate: this.options.criticLearningRate }),
  );

  private readonly candidates = this.program((inputs: { observations: tf.Tensor2D; noise: tf.Tensor }) => {
    const actions = this.sampler.actions(inputs.observations, inputs.noise, this.options.particles);
    const values = this.targetCritic.bindMin(inputs.observations, this.options.particles)(actions);
    return { actions, values };
  });
  private readonly step = this.updateProgram((inputs: BatchTensors & NoiseTensors) => this.updateStep(inputs));
  private readonly move = this.program(() => {
    moveTowards(this.average.variables, this.sampler.variables, this.options.targetRate);
    return {};
  });

  protected async policy(observations: Float32Array, rows: number, draw: NoiseSource, explore: boolean) {
    const { particles } = this.options;
    const noise = draw((n) => this.sampler.noiseShape(n * particles), rows);
    const seen = matrix(observations, this.sizes.observationSize);
    const { actions, values } = await this.candidates({ observations: seen, noise });
    const choose = explore ? (row: Float32Array) => softmaxDraw(row, this.noise.uniform()) : largest;
    const { actionSize } = this.sizes;
    const chosen = new Float32Array(rows * actionSize);
    for (let row = 0; row < rows; row++) {
      const from = row * particles + choose(values.subarray(row * particles, (row + 1) * particles));
      chosen.set(actions.subarray(from * actionSize, (from + 1) * actionSize), row * actionSize);
    }
    return { actions: chosen };
  }

  policyGraph(rows: number): PolicyGraph {
    const { particles } = this.options;
    return {
      inputs: {
        observation: { shape: [rows, this.sizes.observationSize] },
        noise: { shape: this.sampler.noiseShape(rows * particles) },
      },
      program: ({ observation, noise }) => {
        const actions = this.sampler.actions(observation, noise, particles);
        const values = this.targetCritic.bindMin(observation, particles)(actions);
        return { action: bestOf(actions, values, particles) };
      },
    };
  }

  protected drawNoise(): DiffusionQlNoise {
    const { batchSize: rows } = this;
    const chain = (): StateArray => {
      const shape = this.sampler.noiseShape(rows);
      return { data: this.noise.normals(tf.util.sizeFromShape(shape)), shape };
    };
    return {
      nextNoise: chain(),
      currentNoise: chain(),
      forwardNoise: matrix(this.noise.normals(rows * this.sizes.actionSize), this.sizes.actionSize),
      step: { data: this.noise.integers(rows, this.options.diffusionSteps), shape: [rows] },
      side: { data: Float32Array.of(this.noise.integer(2)), shape: [] },
    };
  }

  /** One update of critics, policy and target critics, and of the average policy when it is due. */
  protected async gradientStep(batch: ReplayBatch, noise: DiffusionQlNoise): Promise<Metrics> {
    const metrics = numbers(await this.step({ ...this.batchInputs(batch), ...noise }));
    this.updates++;
    const { averageAfter, averageEvery } = this.options;
    if (this.updates > averageAfter && this.updates % averageEvery === 0) await this.move({});
    return metrics;
  }

  private updateStep(inputs: BatchTensors & NoiseTensors) {
    const { observations, actions, rewards, nextObservations, nextNoise, weights } = inputs;
    const next = this.average.actions(nextObservations, nextNoise);
    const value = this.targetCritic.bindMin(nextObservations, 1)(next);
    const target: tf.Tensor1D = tf.add(rewards, tf.mul(this.discounts(inputs), value));
    const critic = lossAndGradients(this.critic.variables, () =>
      twinLoss(this.critic.apply(observations, actions), target, weights),
    );
    this.criticAdam.apply(clipGlobalNorm(critic.gradients, this.options.maxGradientNorm));
    const policy = lossAndGradients(this.sampler.variables, () => this.policyLoss(inputs));
    this.policyAdam.apply(clipGlobalNorm(policy.gradients, this.options.maxGradientNorm));
    moveTowards(this.targetCritic.variables, this.critic.variables, this.options.targetRate);
    const { loss: policyLoss, denoising } = policy.results;
    const { loss: criticLoss, value: meanValue, tdErrors } = critic.results;
    return { criticLoss, value: meanValue, policyLoss, denoising, ...this.toReplay(tdErrors) };
  }

  /** Denoising of replayed actions, less the value of the chain's own in units of its mean size. */
  private policyLoss({ observations, actions, currentNoise, forwardNoise, step, side }: BatchTensors & NoiseTensors) {
    const noised = addNoise(actions, forwardNoise, noiseLevels(this.sampler.schedule, step));
    const predicted = this.sampler.predictNoise(noised, observations, step);
    const denoising = denoisingScoreMatchingLoss(predicted, forwardNoise);
    const [first, second] = this.critic.apply(observations, this.sampler.actions(observations, currentNoise));
    const relative = (value: tf.Tensor1D, other: tf.Tensor1D) =>
      tf.div(tf.mean(value), stopGradient(tf.maximum(tf.mean(tf.abs(other)), 1e-6)));
    const sides = [tf.mul(side, relative(first, second)), tf.mul(tf.sub(1, side), relative(second, first))] as const;
    const loss: tf.Scalar = tf.sub(denoising, tf.mul(tf.add(...sides), this.options.eta));
    return { loss, denoising };
  }

  private newSampler(): DdpmSampler {
    const schedule = variancePreservingSchedule({ steps: this.options.diffusionSteps });
    const network = mishNetwork({ hidden: this.options.policyHidden });
    return new DdpmSampler({ schedule, network }).build(this.networks.split('policy'), this.sizes);
  }

  private newCritic(): TwinCritic {
    const { criticHidden: hidden } = this.options;
    return new TwinCritic(this.networks.split('critic'), { ...this.sizes, hidden, activation: mish });
  }
}

/** The place of the largest value. */
function largest(values: Float32Array): number {
  return values.reduce((best, value, i) => (value > (values[best] as number) ? i : best), 0);
}

/** A place drawn with probabilities softmax(values), from a uniform number in [0, 1). */
function softmaxDraw(values: Float32Array, uniform: number): number {
  const top = Math.max(...values);
  const weights = values.map((value) => Math.exp(value - top));
  let left = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  const chosen = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return chosen < 0 ? largest(values) : chosen;
}
