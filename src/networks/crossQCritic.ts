import type * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { requireNamed } from '../errors.js';
import type { Variables } from '../ops/variables.js';
import { requireOptions } from '../options.js';
import { type Rng, requireRng } from '../rng/rng.js';
import type { BatchRenormOptions } from './batchRenorm.js';
import { BatchRenormMlp } from './batchRenormMlp.js';
import { type CriticCall, type CriticFactory, type CriticNetwork, type Heads, twinHeads } from './criticNetwork.js';
import { withStep } from './withStep.js';

export interface CrossQCriticOptions {
  observationSize: number;
  actionSize: number;
  /** Widths of the hidden layers, default `[2048, 2048]`. */
  hidden?: readonly number[];
  /** Outputs of a head: atoms of a categorical critic, or 1. */
  outputs: number;
  /** Default: those of CrossQ and DIME. */
  batchRenorm?: BatchRenormOptions;
  /** Whether weights into hidden units keep length 1, see {@link BatchRenormMlp}; default `false`. */
  weightNorm?: boolean;
}

/**
 * The twin critic of CrossQ and DIME: two heads, each a {@link BatchRenormMlp} with statistics of its own, on observation
 * and action side by side.
 */
export class CrossQCritic implements CriticNetwork {
  /** What gradients train. */
  readonly variables: Variables;
  /** Running means and variances and the counters of training calls. */
  readonly statistics: Variables;
  private readonly heads: CriticNetwork;

  /** @throws ArgumentError for sizes below 1 */
  constructor(rng: Rng, options: CrossQCriticOptions) {
    const {
      observationSize,
      actionSize,
      hidden = [2048, 2048],
      outputs,
      batchRenorm,
      weightNorm,
    } = requireNamed('CrossQCritic', options);
    requireRng('CrossQCritic', rng);
    const head = { inputs: observationSize + actionSize, hidden, outputs, batchRenorm, weightNorm };
    const heads = twinHeads(rng, (own) => new BatchRenormMlp(own, head));
    this.heads = heads;
    this.variables = heads.variables;
    this.statistics = heads.statistics;
  }

  /**
   * The output of both heads for observations `[B, O]` and actions `[B, A]`. `training` normalises with the batch and moves
   * the running statistics.
   */
  apply(observations: tf.Tensor2D, actions: tf.Tensor2D, call?: CriticCall): Heads {
    return this.heads.apply(observations, actions, call) as unknown as Heads;
  }

  project(): void {
    this.heads.project?.();
  }

  dispose(): void {
    this.heads.dispose();
  }
}

/**
 * A {@link CrossQCritic} of other sizes as the `criticNetwork` of an agent: DIME, CrossQ, and those on {@link DenoisingAgent}
 * and {@link StepActorCritic}.
 *
 * `weightNorm` with a categorical critic, as DIME has it, is what XQC puts together (Palenicek et al. 2025, "XQC: Well-Conditioned
 * Optimization Accelerates Deep Reinforcement Learning"): batch normalisation, weights of length 1, cross-entropy.
 *
 * @example
 * ```ts
 * const agent = await DimeAgent.create({ env, criticNetwork: crossQCritic({ hidden: [512, 512], weightNorm: true }) });
 * ```
 */
export function crossQCritic(
  options: Pick<CrossQCriticOptions, 'hidden' | 'batchRenorm' | 'weightNorm'> = {},
): CriticFactory {
  requireOptions('crossQCritic', options, { hidden: true, batchRenorm: true, weightNorm: true });
  const make = withStep((rng, sizes) => new CrossQCritic(rng, { ...options, ...sizes }));
  return described(make, crossQCritic, options);
}
