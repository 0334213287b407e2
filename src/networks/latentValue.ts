import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { requireInteger, requireNamed } from '../errors.js';
import { prefixVariables, type Variables } from '../ops/variables.js';
import { requireOptions } from '../options.js';
import { type Rng, requireRng } from '../rng/rng.js';
import type { CriticFactory } from './criticNetwork.js';
import { TimeConditionedMlp } from './timeConditionedMlp.js';

export interface LatentValueOptions {
  observationSize: number;
  actionSize: number;
  /** K: latents have values at the steps 0 ... K - 1. */
  diffusionSteps: number;
  /** Whether the executed action has one too, at step K; default no. */
  valuesActions?: boolean;
  /** Independent networks, default 1; 2 for a twin critic. */
  heads?: number;
  /** Numbers that each head gives, default 1. */
  outputs?: number;
  /** Widths of the hidden layers, default `[256, 256]`. */
  hidden?: readonly number[];
  /** Width of the step embedding, default 64. */
  timeSize?: number;
}

/**
 * The soft value $U(s, x, k)$ of a latent x at diffusion step k: what the rest of the chain and the future are worth.
 * At step K it is the action value Q(s, a). Smooth in x (GELU), since actors are trained through it.
 */
export class LatentValue<Head extends tf.Tensor1D | tf.Tensor2D = tf.Tensor1D> {
  readonly variables: Variables;
  private readonly heads: TimeConditionedMlp[];
  private readonly steps: number;
  private readonly outputs: number;

  /** @throws ArgumentError for sizes below 1 */
  constructor(rng: Rng, given: LatentValueOptions) {
    const {
      diffusionSteps,
      valuesActions = false,
      heads = 1,
      outputs = 1,
      hidden = [256, 256],
      timeSize = 64,
      ...sizes
    } = requireNamed('LatentValue', given);
    requireRng('LatentValue', rng);
    this.steps = requireInteger('LatentValue', 'diffusionSteps', diffusionSteps, { min: 1 }) + Number(valuesActions);
    requireInteger('LatentValue', 'heads', heads, { min: 1 });
    this.outputs = requireInteger('LatentValue', 'outputs', outputs, { min: 1 });
    const options = {
      ...sizes,
      hidden,
      timeSize,
      outputs,
      lastKernel: 'normal',
      balanced: true,
      limit: 1e9,
    } as const;
    this.heads = Array.from({ length: heads }, (_, i) => new TimeConditionedMlp(rng.split(`head${i}`), options));
    this.variables = Object.assign({}, ...this.heads.map((head, i) => prefixVariables(`head${i}`, head.variables)));
  }

  /**
   * The values of all heads, `[B]` each, or `[B, outputs]` if more than 1.
   *
   * @param x `[B, A]`, latents scaled to unit size, or actions at step K
   * @param step `[B]`, whole numbers in 0 ... K - 1, or ... K where actions are valued
   */
  apply(observations: tf.Tensor2D, x: tf.Tensor2D, step: tf.Tensor1D): Head[] {
    const shape: [number] | [number, number] = this.outputs === 1 ? [-1] : [-1, this.outputs];
    return this.heads.map((head) => tf.reshape(head.bind(observations, this.steps)(x, step), shape) as Head);
  }

  dispose(): void {
    for (const head of this.heads) head.dispose();
  }
}

/** A {@link LatentValue} of two heads as the `criticNetwork` of an agent that values latents. */
export function latentCritic(options: Pick<LatentValueOptions, 'hidden' | 'timeSize'> = {}): CriticFactory {
  requireOptions('latentCritic', options, { hidden: true, timeSize: true });
  const make: CriticFactory = (rng, { diffusionSteps = 0, ...sizes }) => {
    const value = new LatentValue<tf.Tensor1D | tf.Tensor2D>(rng, {
      ...options,
      ...sizes,
      diffusionSteps,
      valuesActions: true,
      heads: 2,
    });
    return {
      variables: value.variables,
      apply: (observations, x, { step } = {}) => value.apply(observations, x, step as tf.Tensor1D),
      dispose: () => value.dispose(),
    };
  };
  return described(make, latentCritic, options);
}
