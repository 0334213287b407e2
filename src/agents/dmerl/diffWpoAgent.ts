import * as tf from '@tensorflow/tfjs-core';
import { stepLogRatio } from '../../objectives/stepBatch.js';
import { wpoStepLoss, wpoVelocity } from '../../objectives/wpoStepLoss.js';
import { logNormal } from '../../ops/gaussian.js';
import { type OptionValues, oneOf } from '../../options.js';
import type { AgentOptions } from '../baseAgent.js';
import { type ActorLoss, StepActorCritic, stepActorCriticOptions } from './stepActorCritic.js';

const diffWpoOptions = {
  ...stepActorCriticOptions,
  rescale: oneOf(
    ['natural', 'none', 'relative'],
    'natural',
    'How steps of different noise are weighed; see WpoRescale.',
  ),
};

export type DiffWpoOptions = AgentOptions<typeof diffWpoOptions>;

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
export class DiffWpoAgent extends StepActorCritic<OptionValues<typeof diffWpoOptions>> {
  static readonly kind = 'DiffWpoAgent';
  static readonly options = diffWpoOptions;
  readonly name = 'DiffWPO';

  /**
   * Builds the networks; sizes are read from `env`.
   *
   * @throws ArgumentError for an option out of range or an unbounded action space
   */
  static create(options: DiffWpoOptions): Promise<DiffWpoAgent> {
    return DiffWpoAgent.make(DiffWpoAgent, options, (compiler) => new DiffWpoAgent(DiffWpoAgent, options, compiler));
  }

  protected actorLoss(): ActorLoss {
    const { rescale } = this.options;
    return {
      trainsDiffusion: false,
      rows: ({ noise, value, before }) => {
        const next: tf.Tensor2D = tf.add(before.mean, tf.mul(before.std, noise));
        const velocity = wpoVelocity(before, next, value);
        return (batch) => ({
          loss: wpoStepLoss(batch, { noise, velocity, rescale }),
          logRatio: stepLogRatio(batch, next, logNormal(next, batch.mean, batch.std) as tf.Tensor1D),
        });
      },
    };
  }
}
