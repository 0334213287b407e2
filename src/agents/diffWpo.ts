import * as tf from '@tensorflow/tfjs-core';
import { requireOneOf } from '../errors.js';
import { type StepBatch, stepLogRatio } from '../objectives/stepBatch.js';
import { type WpoRescale, wpoStepLoss, wpoVelocity } from '../objectives/wpoStepLoss.js';
import { logNormal } from '../ops/gaussian.js';
import { DiffSacAgent } from './diffSac.js';
import type { DiffSacOptions } from './diffSacOptions.js';
import { type Compiler, selectCompiler } from './legacyProgram.js';
import type { RowLosses } from './sampledSteps.js';

export interface DiffWpoOptions extends Omit<DiffSacOptions, 'divergence' | 'pathOnly'> {
  /** How steps of different noise are weighed, default `'natural'`. */
  rescale?: WpoRescale;
}

/**
 * DiffWPO (Sanokowski et al. 2025): Wasserstein policy optimisation (Pfau et al. 2025) of single transitions of the
 * diffusion chain. Sampled successors are held fixed and the kernels' densities move along the velocity that the critic
 * gives them; critics and data are those of {@link DiffSacAgent}.
 *
 * With `rescale: 'natural'` its gradient is, sample by sample, that of DiffSAC with `pathOnly`. The diffusion coefficient
 * stays as the sampler has it: for the noising kernels the velocity gives no gradient of the divergence.
 *
 * @example
 * ```ts
 * const agent = await DiffWpoAgent.create({ env, sampler: dmerlSampler({ steps: 16 }) });
 * await train({ agent, env, steps: 100_000 });
 * ```
 */
export class DiffWpoAgent extends DiffSacAgent {
  override readonly name = 'DiffWPO';
  protected override readonly trainsDiffusion = false;
  private readonly rescale: WpoRescale;

  /**
   * Builds the networks; sizes are read from `env`.
   *
   * @throws ArgumentError for an option out of range or an unbounded action space
   */
  static override async create(options: DiffWpoOptions): Promise<DiffWpoAgent> {
    return new DiffWpoAgent(options, await selectCompiler(options.compile));
  }

  protected constructor({ rescale = 'natural', ...options }: DiffWpoOptions, compiler: Compiler) {
    super(options, compiler);
    this.rescale = requireOneOf('DiffWpoAgent', 'rescale', rescale, ['natural', 'none', 'relative']);
  }

  protected override actorLoss(
    noise: tf.Tensor2D,
    value: (next: tf.Tensor2D) => tf.Tensor1D,
    before: StepBatch,
  ): RowLosses {
    const next = tf.add(before.mean, tf.mul(before.std, noise)) as tf.Tensor2D;
    const velocity = wpoVelocity(before, next, value);
    return (batch) => ({
      loss: wpoStepLoss(batch, { noise, velocity, rescale: this.rescale }),
      logRatio: stepLogRatio(batch, next, logNormal(next, batch.mean, batch.std) as tf.Tensor1D),
    });
  }
}
