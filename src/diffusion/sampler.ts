import type * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, requireInteger, requireObject, requireShape, show } from '../errors.js';
import { moveTowards } from '../ops/ema.js';
import type { Variables } from '../ops/variables.js';
import { flag, integer, oneOf, option, readOptions } from '../options.js';
import { Rng, requireRng } from '../rng/rng.js';
import type { SamplingMode } from './chain.js';
import { type Divergence, type DivergenceRequirements, reverseKl } from './divergences.js';
import type { DiffusionPath } from './path.js';
import type { BindOptions } from './process.js';

/** The option that every {@link Sampler} has. */
export const divergenceOption = option<Divergence>({
  doc: 'The loss that trains it.',
  allowed: 'a Divergence',
  initial: () => reverseKl,
  defaultText: 'reverseKl',
  check: (where, name, value) => {
    if (typeof value === 'function' && 'requirements' in value) return value as Divergence;
    throw new ArgumentError(
      `${where}: ${name} must be a divergence such as logVariance, a function with requirements, got ${show(value)}.`,
    );
  },
});

const sampleOptions = {
  trajectory: oneOf(['pathwise', 'detached'], 'pathwise', 'Whether gradients flow through the states.'),
  groupSize: integer(1, { min: 1 }, 'Trajectories per observation.'),
  trainDiffusion: flag(true, 'Whether diffusion coefficient and noising kernels get gradients.'),
  training: flag(false, 'Whether batch normalisation takes its statistics from the batch.'),
};

/** {@link SampleOptions} with defaults. @throws ArgumentError for any that is not what it must be */
export function readSampleOptions(sampler: ActionSampler, options: SampleOptions): Required<SampleOptions> {
  return readOptions(`${sampler.constructor.name}.sample`, options, sampleOptions);
}

/** {@link BindOptions} with defaults. @throws ArgumentError for any that is not what it must be */
export function readBindOptions(sampler: ActionSampler, options: BindOptions | undefined): Required<BindOptions> {
  const { groupSize, trainDiffusion } = sampleOptions;
  return readOptions(`${sampler.constructor.name}.bind`, options, { groupSize, trainDiffusion });
}

/** Throws an {@link ArgumentError} or {@link ShapeError} unless `noise` is for `groupSize` actions of each observation. */
export function requireInputs(
  sampler: ActionSampler,
  observations: tf.Tensor2D,
  noise: tf.Tensor,
  groupSize = 1,
): void {
  requireObservations(sampler, observations);
  requireInteger(sampler.constructor.name, 'groupSize', groupSize, { min: 1 });
  requireShape(sampler.constructor.name, 'noise', noise, sampler.noiseShape(observations.shape[0] * groupSize));
}

/** Throws a {@link ShapeError} unless `observations` is `[B, O]`. */
export function requireObservations(sampler: ActionSampler, observations: tf.Tensor2D): void {
  requireShape(sampler.constructor.name, 'observations', observations, [null, sampler.sizes.observationSize]);
}

/** `rows` if it can be a number of trajectories. @throws ArgumentError */
export function requireRows(sampler: ActionSampler, rows: number): number {
  return requireInteger(`${sampler.constructor.name}.noiseShape`, 'rows', rows, { min: 0 });
}

/** How {@link Sampler.sample} runs the chain. */
export interface SampleOptions {
  /** `'pathwise'` (default): gradients flow through the states; `'detached'`: through the densities only. */
  trajectory?: 'pathwise' | 'detached';
  /** Trajectories per observation, default 1. */
  groupSize?: number;
  /** Whether the diffusion coefficient and learned noising kernels get gradients, default `true`. */
  trainDiffusion?: boolean;
  /** Whether networks with batch normalisation take their statistics from the batch, default `false`: running ones. */
  training?: boolean;
}

/** Sizes a sampler is built for. */
export interface SamplerSizes {
  observationSize: number;
  actionSize: number;
}

/**
 * A stochastic policy that actions can be drawn from.
 *
 * **Subclass requirements.** `createVariables` makes everything trainable; it may run more than once, on
 * objects that inherit from each other ({@link ActionSampler.twin}), which fields written `#name` do not: keep what it
 * makes in `private` ones. `actions` is traceable and takes all randomness from
 * `noise` (standard normal, shape `noiseShape(rows)`).
 */
export abstract class ActionSampler {
  /** Everything trainable, once built. */
  variables: Variables = {};
  private builtSizes?: SamplerSizes;

  /** Shape of the noise for this many trajectories. */
  abstract noiseShape(rows: number): number[];

  /** Actions `[B, A]` for observations `[B, O]` and noise of shape `noiseShape(B)`. */
  abstract actions(observations: tf.Tensor2D, noise: tf.Tensor): tf.Tensor2D;

  /** Creates `variables`. */
  protected abstract createVariables(rng: Rng, sizes: SamplerSizes): Variables;

  /** Makes the sampler ready for these sizes; agents call it. @throws ArgumentError while what it was built for lives */
  build(rng: Rng, sizes: SamplerSizes): this {
    if (Object.values(this.variables).some(({ isDisposed }) => !isDisposed)) {
      throw new ArgumentError(`${this.constructor.name}.build: already built; give every agent a sampler of its own.`);
    }
    const where = `${this.constructor.name}.build`;
    requireRng(where, rng);
    requireInteger(where, 'observationSize', sizes?.observationSize, { min: 1 });
    requireInteger(where, 'actionSize', sizes.actionSize, { min: 1 });
    this.variables = this.createVariables(rng, sizes);
    this.builtSizes = sizes;
    return this;
  }

  /** A sampler of the same make and parameters, with variables of its own: for targets and trust regions. */
  twin(): this {
    const twin: this = Object.create(this);
    twin.variables = twin.createVariables(Rng.fromSeed(0), this.sizes);
    moveTowards(twin.variables, this.variables, 1);
    return twin;
  }

  /** The sizes it was built for. @throws ArgumentError before `build` */
  get sizes(): SamplerSizes {
    if (this.builtSizes) return this.builtSizes;
    throw new ArgumentError(`${this.constructor.name}: call build(rng, { observationSize, actionSize }) before use.`);
  }

  dispose(): void {
    for (const variable of Object.values(this.variables)) variable.dispose();
  }
}

/** A policy that several actions in a row can be drawn from for each observation. */
export interface ParticleSampler extends ActionSampler {
  /** Actions `[B * groupSize, A]` for observations `[B, O]` and noise of shape `noiseShape(B * groupSize)`; `groupSize` default 1. */
  actions(observations: tf.Tensor2D, noise: tf.Tensor, groupSize?: number): tf.Tensor2D;
}

/**
 * A policy whose sampling can be priced: paths in, divergence out.
 *
 * **Subclass requirements.** Those of {@link ActionSampler}; `sample` is traceable too, and draws the actions that
 * `actions` draws. To train with another objective override {@link Sampler.divergence}, and
 * {@link Sampler.requirements} if it needs other paths than the reverse KL.
 *
 * @example
 * ```ts
 * class SecondMoment extends EulerMaruyamaSampler {
 *   override get requirements() {
 *     return logVariance.requirements;
 *   }
 *   override divergence(path: DiffusionPath, logTarget: tf.Tensor1D) {
 *     return tf.mean(tf.square(negativeLogWeights(path, logTarget))) as tf.Scalar;
 *   }
 * }
 * ```
 */
export abstract class Sampler extends ActionSampler {
  protected constructor(private readonly objective: Divergence = reverseKl) {
    super();
  }

  /** Whether {@link Sampler.divergence} is the reverse KL, as by default. */
  get isReverseKl(): boolean {
    return this.objective === reverseKl && this.divergence === Sampler.prototype.divergence;
  }

  /** Target of the mean run cost per action dimension in automatic temperature tuning. */
  abstract readonly targetRunCost: number;

  /**
   * Actions `[B, A]` for observations `[B, O]` and noise of shape `noiseShape(B)`.
   *
   * @param mode how to run the chain, default `'sde'`: as `sample` does
   */
  abstract override actions(observations: tf.Tensor2D, noise: tf.Tensor, mode?: SamplingMode): tf.Tensor2D;

  /** Runs the chain with all densities; `observations` `[B, O]`, `noise` of shape `noiseShape(B * groupSize)`. */
  abstract sample(observations: tf.Tensor2D, noise: tf.Tensor, options?: SampleOptions): DiffusionPath;

  /** What {@link Sampler.divergence} needs of its paths. */
  get requirements(): DivergenceRequirements {
    return this.objective.requirements;
  }

  /** The loss that trains this sampler: the `divergence` option, reverse KL by default. See {@link Divergence}. */
  divergence(path: DiffusionPath, logTarget: tf.Tensor1D, logZ?: tf.Tensor1D): tf.Scalar {
    const where = `${this.constructor.name}.divergence`;
    requireObject(where, 'path', path);
    requireShape(where, 'path.totalCost', path.totalCost, [null]);
    requireShape(where, 'logTarget', logTarget, path.totalCost.shape);
    return this.objective(path, logTarget, logZ);
  }
}
