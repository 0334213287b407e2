import type * as tf from '@tensorflow/tfjs-core';
import type { StepNetwork } from '../networks/stepNetwork.js';
import type { Variables } from '../ops/variables.js';
import type { Rng } from '../rng/rng.js';
import type { NoiseSchedule } from '../schedules/schedule.js';
import type { TransitionKernels } from './kernels.js';
import type { SamplerSizes } from './sampler.js';

/** Makes a network for the sampler's sizes. */
export type NetworkFactory = (rng: Rng, sizes: SamplerSizes) => StepNetwork;

export interface BindOptions {
  /** Latents in a row for every observation, default 1. */
  groupSize?: number;
  /** Whether the diffusion coefficient and learned noising kernels get gradients, default `true`. */
  trainDiffusion?: boolean;
}

/**
 * The process whose steps a chain takes, from a Gaussian prior to the action: {@link eulerMaruyama},
 * {@link ornsteinUhlenbeck}, {@link ddpm}, or a {@link generalBridge} around any of them. Holds settings only, so one
 * object serves many samplers.
 */
export interface Process {
  /** Its `steps` are the chain's K. */
  readonly schedule: NoiseSchedule;
  /** Standard deviation of the prior. */
  readonly priorStd: number;
  /** Makes the network that steers the chain. */
  readonly network: NetworkFactory;
  /** Makes everything that is learned. */
  build(rng: Rng, sizes: SamplerSizes): BuiltProcess;
}

/** A process with what is learned of it. */
export interface BuiltProcess {
  /** Everything trainable. */
  readonly variables: Variables;
  /** The kernels for observations `[B, O]`, with all that does not depend on the state computed once. Traceable. */
  bind(observations: tf.Tensor2D, options?: BindOptions): TransitionKernels;
}
