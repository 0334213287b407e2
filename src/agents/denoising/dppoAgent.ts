import * as tf from '@tensorflow/tfjs-core';
import { runChain } from '../../diffusion/chain.js';
import { DdpmSampler } from '../../diffusion/ddpm.js';
import type { TransitionKernels } from '../../diffusion/kernels.js';
import { Mlp } from '../../networks/mlp.js';
import { TimeConditionedMlp } from '../../networks/timeConditionedMlp.js';
import { sinusoidalFeatures } from '../../networks/timeEmbedding.js';
import { type Moments, stepKl } from '../../objectives/chainKl.js';
import { mish } from '../../ops/activations.js';
import { Adam, learningRateOption } from '../../ops/adam.js';
import { logNormalEntries } from '../../ops/gaussian.js';
import { entriesOf } from '../../ops/linear.js';
import { unstack } from '../../ops/pieces.js';
import { integer, number, type OptionValues, widths } from '../../options.js';
import { matrix } from '../arrays.js';
import type { AgentOptions } from '../baseAgent.js';
import type { ExportableAgent, PolicyGraph } from '../exportOnnx.js';
import type { NoiseSource } from '../noiseSource.js';
import { OnPolicyAgent, onPolicyOptions, type StepPairs, type StepStarts } from '../onPolicyAgent.js';

const dppoOptions = {
  ...onPolicyOptions,
  rolloutSteps: integer(10_000, { min: 1 }, 'Environment steps, all environments together, between updates.'),
  minibatchSize: integer(5000, { min: 1 }, 'Denoising steps in a gradient step.'),
  clip: number(0.1, { above: 0, below: 1 }, 'Ratios of a denoising step are clipped to [1 - clip, 1 + clip].'),
  diffusionSteps: integer(10, { min: 1 }, 'Denoising steps K, cosine schedule.'),
  policyHidden: widths([512, 512, 512], 'Hidden layers of the noise-predicting network, ReLU.'),
  valueHidden: widths([256, 256, 256], 'Hidden layers of the value network, Mish.'),
  minStd: number(0.1, { above: 0 }, 'Least standard deviation of a denoising step in exploring and in densities.'),
  denoisingDiscount: number(
    1,
    { above: 0, max: 1 },
    'Advantages count this to the power of the denoising steps that follow; the authors take 0.99 to fine-tune.',
  ),
  targetKl: number(1, { above: 0 }, 'An update stops early when the KL of a step and action dimension exceeds this.'),
  actorLearningRate: learningRateOption(1e-4, 'Of the policy.'),
  valueLearningRate: learningRateOption(1e-3, 'Of the value network.'),
};

export type DppoOptions = AgentOptions<typeof dppoOptions>;

type Seen = { observations: tf.Tensor2D; noise: tf.Tensor3D };

/** Where log-densities, per action dimension, are clamped. */
const LOG_DENSITY_RANGE = [-5, 2] as const;
/** Where exploration's noise is clipped, in standard deviations. */
const NOISE_LIMIT = 3;
/** Least standard deviation of evaluation's steps, but for the last, which adds no noise. */
const EVALUATION_STD = 1e-3;

/**
 * DPPO (Ren et al. 2024, "Diffusion Policy Policy Optimization"): PPO in which every denoising step of a DDPM policy is an
 * action with a Gaussian density, worth the advantage of its environment step; values see the observation only. Defaults are
 * those of the authors' code for training from scratch; networks are plain perceptrons here (residual there), observations are
 * normalised by running moments (there by a data set's range), its KL is exact, gradients are clipped to `maxGradientNorm`, and
 * evaluation's noise is not clipped.
 *
 * Beside it stands {@link DiffPpoAgent}, which prices the chain's entropy and whose values see latents.
 *
 * @example
 * ```ts
 * const agent = await DppoAgent.create({ env });
 * await train({ agent, env, steps: 3_000_000 });
 * ```
 */
export class DppoAgent extends OnPolicyAgent<OptionValues<typeof dppoOptions>> implements ExportableAgent {
  static readonly kind = 'DppoAgent';
  static readonly options = dppoOptions;

  /** @throws ArgumentError for an option out of range or an unbounded action space */
  static create(options: DppoOptions): Promise<DppoAgent> {
    return DppoAgent.make(DppoAgent, options, (compiler) => new DppoAgent(DppoAgent, options, compiler));
  }

  readonly name = 'DPPO';
  protected readonly clips = new Array<number>(this.options.diffusionSteps).fill(this.options.clip);
  protected override readonly largestKl = this.options.targetKl;
  readonly sampler = this.own('actor', this.newSampler());
  protected readonly actor = this.sampler;
  protected readonly value = this.own(
    'value',
    new Mlp(this.networks.split('value'), {
      ...{ inputs: this.sizes.observationSize, hidden: this.options.valueHidden, outputs: 1, activation: mish },
    }),
  );
  protected readonly actorAdam = this.own(
    'actorAdam',
    new Adam(this.sampler.variables, { ...this.options.adam, learningRate: this.options.actorLearningRate }),
  );
  protected readonly valueAdam = this.own(
    'valueAdam',
    new Adam(this.value.variables, { ...this.options.adam, learningRate: this.options.valueLearningRate }),
  );

  private readonly exploring = this.program(({ observations, noise }: Seen) => {
    const [start, ...kicks] = unstack(noise) as [tf.Tensor2D, ...tf.Tensor2D[]];
    const clipped = kicks.map((kick) => tf.clipByValue(kick, -NOISE_LIMIT, NOISE_LIMIT));
    const { states } = runChain(this.kernels(observations, this.options.minStd), start, clipped);
    return { latents: tf.stack(states), actions: states.at(-1) as tf.Tensor2D };
  });
  private readonly evaluating = this.program(({ observations, noise }: Seen) => ({
    actions: this.evaluated(observations, noise),
  }));

  protected explore(seen: Float32Array, draw: NoiseSource) {
    const [steps, actionSize] = [this.clips.length, this.sizes.actionSize];
    const noise = draw((rows) => [steps + 1, rows, actionSize], seen.length / this.sizes.observationSize);
    return this.exploring({ observations: matrix(seen, this.sizes.observationSize), noise });
  }

  protected evaluate(seen: Float32Array, draw: NoiseSource) {
    const noise = draw((rows) => this.sampler.noiseShape(rows), seen.length / this.sizes.observationSize);
    return this.evaluating({ observations: matrix(seen, this.sizes.observationSize), noise });
  }

  /** The chain with its own little noise, none at the last step. */
  private evaluated(observations: tf.Tensor2D, noise: tf.Tensor): tf.Tensor2D {
    const [start, ...kicks] = unstack(noise) as [tf.Tensor2D, ...tf.Tensor2D[]];
    const { states } = runChain(this.kernels(observations, EVALUATION_STD), start, kicks);
    return tf.clipByValue(states.at(-1) as tf.Tensor2D, -1, 1);
  }

  policyGraph(rows: number): PolicyGraph {
    const { preprocess } = this;
    return {
      inputs: {
        observation: { shape: [rows, this.sizes.observationSize] },
        noise: { shape: this.sampler.noiseShape(rows) },
      },
      program: ({ observation, noise }) => ({ action: this.evaluated(preprocess(observation), noise) }),
    };
  }

  /** Log-densities are means over action dimensions, each clamped before, as in the authors' code. */
  protected densities({ observations, x, step, next }: StepPairs) {
    const kernels = this.kernels(observations, this.options.minStd);
    const [mean, std] = [kernels.forwardMean(x, step), kernels.std(step)];
    const perEntry = tf.clipByValue(logNormalEntries(next, mean, std), ...LOG_DENSITY_RANGE);
    const forward = tf.mean<tf.Tensor1D>(perEntry, -1);
    return { mean, std, forward, backward: tf.zerosLike(forward) };
  }

  protected valueAt({ observations }: StepStarts): tf.Tensor1D {
    return tf.reshape(this.value.apply(observations), [-1]);
  }

  protected override weighted(loss: tf.Tensor1D, step: tf.Tensor1D): tf.Tensor1D {
    const steps = this.clips.length;
    const weights = Array.from({ length: steps }, (_, k) => this.options.denoisingDiscount ** (steps - 1 - k));
    return tf.mul(loss, tf.reshape(entriesOf(weights)(step) as tf.Tensor2D, [-1]));
  }

  protected override kl(from: Moments, to: Moments): tf.Scalar {
    return tf.div(tf.mean<tf.Scalar>(stepKl(from, to)), this.sizes.actionSize);
  }

  /** The sampler's, with deviations of at least `minStd`. */
  private kernels(observations: tf.Tensor2D, minStd: number): TransitionKernels {
    const kernels = this.sampler.bind(observations);
    return { ...kernels, std: (step) => tf.maximum(kernels.std(step), minStd) };
  }

  private newSampler(): DdpmSampler {
    const { diffusionSteps: steps, policyHidden: hidden } = this.options;
    const timeFeatures = sinusoidalFeatures(16, 1, true);
    const sampler = new DdpmSampler({
      steps,
      startStd: 1,
      network: (rng, sizes) =>
        new TimeConditionedMlp(rng, {
          ...{ ...sizes, hidden, activation: tf.relu, lastKernel: 'normal' },
          ...{ timeFeatures, timeHidden: 32, timeSize: 16 },
        }),
    });
    return sampler.build(this.networks.split('actor'), this.sizes);
  }
}
