import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError } from '../../errors.js';
import { sacStepLoss } from '../../objectives/sacStepLoss.js';
import { stepLogRatio } from '../../objectives/stepBatch.js';
import { adamOption } from '../../ops/adam.js';
import { logNormal } from '../../ops/gaussian.js';
import { flag, type OptionValues, oneOf } from '../../options.js';
import type { AgentOptions } from '../baseAgent.js';
import type { RowLosses } from './simulation.js';
import { type ActorContext, type ActorLoss, StepActorCritic, stepActorCriticOptions } from './stepActorCritic.js';

const diffSacOptions = {
  ...stepActorCriticOptions,
  actorAdam: adamOption({ updateClip: 1 }, "Of the policy's optimiser."),
  divergence: oneOf(
    ['reverse', 'forward'],
    'reverse',
    'KL from the local target, or importance-weighted likelihood of whole chains (groups of 8, at least 2).',
  ),
  pathOnly: flag(false, "Leave out the part of the actor's gradient that has mean zero."),
};

export type DiffSacOptions = AgentOptions<typeof diffSacOptions>;

/**
 * DiffSAC (Sanokowski et al. 2025): soft actor-critic on the augmented MDP. A twin critic U(s, x, k) values latents at
 * every diffusion step, up to Q(s, a) for the action itself, and an actor update differentiates a single
 * reparametrised transition of the chain for each row: its memory does not grow with K.
 *
 * @example
 * ```ts
 * const agent = await DiffSacAgent.create({ env, sampler: dmerlSampler({ steps: 16 }) });
 * await train({ agent, env, steps: 100_000 });
 * ```
 */
export class DiffSacAgent extends StepActorCritic<OptionValues<typeof diffSacOptions>> {
  static readonly kind = 'DiffSacAgent';
  static readonly options = diffSacOptions;
  readonly name = 'DiffSAC';

  /**
   * Builds the networks; sizes are read from `env`.
   *
   * @throws ArgumentError for an option out of range or an unbounded action space
   */
  static create(options: DiffSacOptions): Promise<DiffSacAgent> {
    return DiffSacAgent.make(DiffSacAgent, options, (compiler) => new DiffSacAgent(DiffSacAgent, options, compiler));
  }

  protected actorLoss(): ActorLoss {
    const { divergence, pathOnly } = this.options;
    if (divergence === 'forward') {
      if (pathOnly) throw new ArgumentError(PATH_ONLY);
      return { trainsDiffusion: false, needsChains: true, minGroupSize: 2, rows: forwardKlRows };
    }
    return {
      trainsDiffusion: true,
      rows:
        ({ noise, value }) =>
        (batch) =>
          sacStepLoss(batch, { noise, value, pathOnly }),
    };
  }
}

const PATH_ONLY =
  "DiffSacAgent: pathOnly must not be true with divergence 'forward', whose gradient takes no path through the chain; leave one of them out.";

/** Self-normalised importance-weighted likelihood of each chain's sampled transition: forward KL to exp(Q / T). */
export function forwardKlRows({ sampled, actionValue, groupSize }: ActorContext): RowLosses {
  const { next, action, totalCost } = sampled.chain!;
  const value = actionValue(action);
  return (batch) => {
    const logWeights = tf.reshape(tf.sub(tf.div(value, batch.temperature), totalCost), [-1, groupSize]);
    const weights = tf.reshape(tf.softmax(logWeights), [-1]);
    const density = logNormal(next, batch.mean, batch.std) as tf.Tensor1D;
    const scale = tf.mul(batch.temperature, -batch.kernels.steps * groupSize);
    return { loss: tf.mul(tf.mul(weights, density), scale), logRatio: stepLogRatio(batch, next, density) };
  };
}
