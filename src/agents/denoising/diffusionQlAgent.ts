import * as tf from '@tensorflow/tfjs-core';
import { DdpmSampler, mishNetwork } from '../../diffusion/ddpm.js';
import { addNoise, noiseLevels } from '../../diffusion/noising.js';
import { denoisingScoreMatchingLoss } from '../../objectives/denoising.js';
import { adamOption } from '../../ops/adam.js';
import { stopGradient } from '../../ops/stopGradient.js';
import { integer, number, type OptionValues } from '../../options.js';
import { variancePreservingSchedule } from '../../schedules/variancePreserving.js';
import { matrix } from '../arrays.js';
import type { AgentOptions } from '../baseAgent.js';
import type { NoiseSource } from '../noiseSource.js';
import type { BatchTensors } from '../offPolicyAgent.js';
import type { Compiler } from '../program.js';
import { AveragedPolicyAgent, averagedPolicyOptions } from './averagedPolicyAgent.js';

const diffusionQlOptions = {
  ...averagedPolicyOptions,
  diffusionSteps: integer(5, { min: 1 }, 'Steps of the variance-preserving chain.'),
  eta: number(1, { min: 0 }, 'Weight of the value beside denoising, with values in units of their mean size.'),
  particles: integer(50, { min: 1 }, 'Actions of which one is drawn by the softmax of their values when exploring.'),
  evaluationParticles: integer(50, { min: 1 }, 'Actions of which the target critics pick one without exploring.'),
  averageEvery: integer(5, { min: 1 }, 'Gradient steps between two moves of the average policy.'),
  averageAfter: integer(1000, { min: 0 }, 'Gradient steps before its first move.'),
  maxGradientNorm: number(10, { above: 0 }, 'Largest norm of the gradients of policy and of critics.'),
  policyAdam: adamOption({}, "Of the policy's optimiser."),
  criticAdam: adamOption({}, "Of the critics' optimiser."),
};

type Drawn = {
  currentNoise: tf.Tensor;
  /** `[B, A]` */
  forwardNoise: tf.Tensor2D;
  /** `[B]` */
  step: tf.Tensor1D;
  /** 1 where the value is the first critic's over the size of the second's, 0 for the other way round. */
  side: tf.Scalar;
};

export type DiffusionQlOptions = AgentOptions<typeof diffusionQlOptions>;

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
export class DiffusionQlAgent extends AveragedPolicyAgent<OptionValues<typeof diffusionQlOptions>, Drawn> {
  static readonly kind = 'DiffusionQlAgent';
  static readonly options = diffusionQlOptions;

  /** @throws ArgumentError for an option out of range or an unbounded action space */
  static create(options: DiffusionQlOptions): Promise<DiffusionQlAgent> {
    const make = (compiler: Compiler) => new DiffusionQlAgent(DiffusionQlAgent, options, compiler);
    return DiffusionQlAgent.make(DiffusionQlAgent, options, make);
  }

  readonly name = 'Diffusion-QL';

  private readonly candidates = this.program((inputs: { observations: tf.Tensor2D; noise: tf.Tensor }) => {
    const actions = this.sampler.actions(inputs.observations, inputs.noise, this.options.particles);
    return { actions, values: this.judge.bindMin(inputs.observations, this.options.particles)(actions) };
  });

  protected override get judge() {
    return this.targetCritic;
  }

  protected newSampler(): DdpmSampler {
    const schedule = variancePreservingSchedule({ steps: this.options.diffusionSteps });
    return new DdpmSampler({ schedule, network: mishNetwork({ hidden: this.options.policyHidden }) });
  }

  protected override async policy(observations: Float32Array, rows: number, draw: NoiseSource, explore: boolean) {
    if (!explore) return super.policy(observations, rows, draw, explore);
    const { particles } = this.options;
    const noise = draw((n) => this.sampler.noiseShape(n * particles), rows);
    const seen = matrix(observations, this.sizes.observationSize);
    const { actions, values } = await this.candidates({ observations: seen, noise });
    const { actionSize } = this.sizes;
    const chosen = new Float32Array(rows * actionSize);
    for (let row = 0; row < rows; row++) {
      const own = values.subarray(row * particles, (row + 1) * particles);
      const from = row * particles + softmaxDraw(own, this.noise.uniform());
      chosen.set(actions.subarray(from * actionSize, (from + 1) * actionSize), row * actionSize);
    }
    return { actions: chosen };
  }

  protected drawPolicyNoise() {
    const { batchSize: rows } = this;
    return {
      currentNoise: this.chainNoise(),
      forwardNoise: matrix(this.noise.normals(rows * this.sizes.actionSize), this.sizes.actionSize),
      step: { data: this.noise.integers(rows, this.options.diffusionSteps), shape: [rows] },
      side: { data: Float32Array.of(this.noise.integer(2)), shape: [] },
    };
  }

  /** Denoising of replayed actions, less the value of the chain's own in units of its mean size. */
  protected policyObjective(inputs: BatchTensors & Drawn) {
    const { observations, actions, currentNoise, forwardNoise, step, side } = inputs;
    const noised = addNoise(actions, forwardNoise, noiseLevels(this.sampler.schedule, step));
    return () => {
      const predicted = this.sampler.predictNoise(noised, observations, step);
      const denoising = denoisingScoreMatchingLoss(predicted, forwardNoise);
      const [first, second] = this.critic.apply(observations, this.sampler.actions(observations, currentNoise));
      const sides = [tf.mul(side, relative(first, second)), tf.mul(tf.sub(1, side), relative(second, first))] as const;
      const loss: tf.Scalar = tf.sub(denoising, tf.mul(tf.add(...sides), this.options.eta));
      return { loss, denoising };
    };
  }
}

/** The mean of `values` in units of the mean size of `others`. */
function relative(values: tf.Tensor1D, others: tf.Tensor1D): tf.Scalar {
  return tf.div(tf.mean(values), stopGradient(tf.maximum(tf.mean(tf.abs(others)), 1e-6)));
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
  return chosen < 0 ? values.indexOf(top) : chosen;
}
