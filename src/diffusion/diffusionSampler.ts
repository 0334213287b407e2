import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { requireOneOf } from '../errors.js';
import { logNormalOfNoise } from '../ops/gaussian.js';
import { unstack } from '../ops/pieces.js';
import { repeatRows } from '../ops/repeatRows.js';
import { withoutGradient } from '../ops/stopGradient.js';
import type { Variables } from '../ops/variables.js';
import { type GivenOptions, readOptions } from '../options.js';
import type { Rng } from '../rng/rng.js';
import type { NoiseSchedule } from '../schedules/schedule.js';
import {
  endOfChain,
  logBackwardDensities,
  logForwardDensities,
  runChain,
  type SamplingMode,
  samplingModes,
} from './chain.js';
import type { TransitionKernels } from './kernels.js';
import { completePath, type DiffusionPath } from './path.js';
import type { BindOptions, BuiltProcess, Process } from './process.js';
import { processOption } from './processOptions.js';
import {
  divergenceOption,
  readBindOptions,
  readSampleOptions,
  requireInputs,
  requireObservations,
  requireRows,
  type SampleOptions,
  Sampler,
  type SamplerSizes,
} from './sampler.js';
import { type Squash, squashOption } from './squash.js';

const diffusionSamplerOptions = {
  process: processOption('The process whose steps the chain takes.'),
  divergence: divergenceOption,
  squash: squashOption,
};

export type DiffusionSamplerOptions = GivenOptions<typeof diffusionSamplerOptions> & { process: Process };

/**
 * A diffusion policy: the chain of a {@link Process} from its prior to the action, in K steps with known densities.
 *
 * **Subclass requirements.** Besides those of {@link Sampler}: override `bind` to change the kernels, and
 * `createVariables` to add networks (and return what `super` returned too).
 *
 * @example
 * ```ts run
 * import * as tf from '@tensorflow/tfjs-core';
 * import { DiffusionSampler, logDerivativeKl, ornsteinUhlenbeck, Rng, useBestBackend } from 'diffrl';
 *
 * await useBestBackend();
 * const process = ornsteinUhlenbeck({ steps: 8, stepSize: 3 });
 * const sampler = new DiffusionSampler({ process, divergence: logDerivativeKl });
 * sampler.build(Rng.fromSeed(0), { observationSize: 3, actionSize: 2 });
 * const noise = tf.tensor(Rng.fromSeed(1).normals(9 * 10 * 2), sampler.noiseShape(10));
 * const path = sampler.sample(tf.zeros([5, 3]), noise, { trajectory: 'detached', groupSize: 2 });
 * console.log(path.action.shape, sampler.divergence(path, tf.zeros([10])).shape); // [ 10, 2 ] []
 * console.log(sampler.requirements.minGroupSize); // 2
 * ```
 */
export class DiffusionSampler extends Sampler {
  /**
   * An entropy bound of -1.665 a dimension, whatever the prior: run cost excludes the prior's constant, as in the released
   * code, whose target of 4 it is at that code's prior, of standard deviation 2.5.
   */
  readonly targetRunCost: number;
  readonly process: Process;
  readonly squash: Squash;
  private built!: BuiltProcess;

  /** @throws ArgumentError for an option that is not what it must be */
  constructor(options: DiffusionSamplerOptions) {
    const { process, divergence, squash } = readOptions('DiffusionSampler', options, diffusionSamplerOptions);
    super(divergence);
    described(this, new.target, options);
    this.process = process;
    this.squash = squash;
    this.targetRunCost = 4 + Math.log(this.priorStd / 2.5);
  }

  /** The process's; its `steps` are the chain's K. */
  get schedule(): NoiseSchedule {
    return this.process.schedule;
  }

  /** Standard deviation of the prior. */
  get priorStd(): number {
    return this.process.priorStd;
  }

  /** Entropy of the prior in nats: what the path entropy is where the run cost is 0. */
  get priorEntropy(): number {
    return (this.sizes.actionSize / 2) * Math.log(2 * Math.PI * Math.E * this.priorStd ** 2);
  }

  protected createVariables(rng: Rng, sizes: SamplerSizes): Variables {
    this.built = this.process.build(rng, sizes);
    return this.built.variables;
  }

  /** The transition kernels for observations `[B, O]`. */
  bind(observations: tf.Tensor2D, options?: BindOptions): TransitionKernels {
    requireObservations(this, observations);
    return this.built.bind(observations, readBindOptions(this, options));
  }

  /** `[K + 1, rows, A]`: the prior's noise, then that of every step. */
  noiseShape(rows: number): [number, number, number] {
    return [this.schedule.steps + 1, requireRows(this, rows), this.sizes.actionSize];
  }

  sample(observations: tf.Tensor2D, noise: tf.Tensor, options: SampleOptions = {}): DiffusionPath {
    const { trajectory, groupSize, trainDiffusion } = readSampleOptions(this, options);
    const { prior, start, kicks } = this.split(observations, noise, groupSize);
    const detached = trajectory === 'detached';
    const kernels = this.bind(observations, { groupSize, trainDiffusion });
    const chain = runChain(kernels, start, kicks, detached);
    const end = chain.states[this.schedule.steps] as tf.Tensor2D;
    const backward = () => logBackwardDensities(kernels, chain.states);
    return completePath({
      observations: repeatRows(observations, groupSize),
      states: chain.states,
      action: this.squash.apply(end),
      logForward: logForwardDensities(kernels, chain, tf.slice(noise, 1) as tf.Tensor3D, detached),
      logBackward: detached && !trainDiffusion ? withoutGradient(backward) : backward(),
      logPrior: logNormalOfNoise(prior, Math.log(this.priorStd)) as tf.Tensor1D,
      logDet: this.squash.logDet(end),
      groupSize,
    });
  }

  /** The states of the chain without their densities, `[K + 1, B, A]`. */
  latents(observations: tf.Tensor2D, noise: tf.Tensor): tf.Tensor3D {
    const { start, kicks } = this.split(observations, noise);
    return tf.stack(runChain(this.bind(observations), start, kicks).states) as tf.Tensor3D;
  }

  /** @param mode how to run the chain, default `'sde'`: as it is trained */
  actions(observations: tf.Tensor2D, noise: tf.Tensor, mode: SamplingMode = 'sde'): tf.Tensor2D {
    requireOneOf(`${this.constructor.name}.actions`, 'mode', mode, samplingModes);
    const { start, kicks } = this.split(observations, noise);
    return this.squash.apply(endOfChain(this.bind(observations), start, kicks, mode));
  }

  /** The prior's standard noise and draw, `[B, A]`, and the noise of every step. */
  private split(observations: tf.Tensor2D, noise: tf.Tensor, groupSize = 1) {
    requireInputs(this, observations, noise, groupSize);
    const [prior, ...kicks] = unstack(noise) as [tf.Tensor2D, ...tf.Tensor2D[]];
    return { prior, start: tf.mul(prior, this.priorStd) as tf.Tensor2D, kicks };
  }
}
