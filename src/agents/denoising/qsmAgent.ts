import * as tf from '@tensorflow/tfjs-core';
import { type DdpmOptions, DdpmSampler, mishNetwork } from '../../diffusion/ddpm.js';
import { learningRateOption } from '../../ops/adam.js';
import { group, integer, number, type OptionValues, objectOption, widths } from '../../options.js';
import { variancePreservingSchedule } from '../../schedules/variancePreserving.js';
import type { AgentOptions } from '../baseAgent.js';
import { DenoisingAgent, denoisingOptions, type PolicyTarget, type TargetContext } from './denoisingAgent.js';
import { valueTemperatureOptions } from './valueTemperature.js';

const qsmOptions = {
  ...denoisingOptions,
  diffusion: objectOption<DdpmOptions>(
    "The policy's chain, options of DdpmSampler; default: 5 variance-preserving steps from N(0, I), 2 x 512 with Mish.",
  ),
  policyLearningRate: learningRateOption(3e-4, 'Of the policy.'),
  warmupSteps: integer(10_000, { min: 0 }, 'Uniformly random environment steps at the start.'),
  valueScale: number(
    50,
    { above: 0 },
    'Factor M on the gradient of the value: the inverse temperature of the policy; 120 in tasks of walking.',
  ),
  particles: integer(1, { min: 1 }, 'Actions drawn for an observation when acting, of which the critics pick one.'),
  targetParticles: integer(1, { min: 1 }, 'The same for the next actions in updates.'),
  criticHidden: widths([512, 512], 'Hidden layers of both critics.'),
  rewardScale: number(1, { above: 0 }, 'Factor on rewards.'),
  temperature: group(
    {
      ...valueTemperatureOptions,
      initial: number(1, { above: 0 }, 'Value.'),
      learningRate: number(0, { min: 0 }, '0: it stays as it is; else as in SDAC.'),
    },
    'Scale of exploration.',
  ),
  policyDelay: integer(1, { min: 1 }, 'Critic updates to each move of policy and target networks.'),
  averageRate: number(1, { above: 0, max: 1 }, 'How far the policy that acts moves towards the one that learns.'),
};

export type QsmOptions = AgentOptions<typeof qsmOptions>;

/**
 * Q-score matching (Psenka et al. 2024, "Learning a Diffusion Model Policy from Rewards via Q-Score Matching"): the policy's
 * score at a noised action of replay is regressed on the critics' gradient in the action there, so that no gradient passes
 * through the chain.
 *
 * Defaults are those of the authors' code, with five variance-preserving steps and a network of two layers of 512 with Mish.
 * The chain is {@link DdpmSampler}'s, which clips the predicted action and adds the posterior's noise, where the authors clip
 * every state and add noise of variance beta; their cosine decay of the policy's rate over two million steps is left to
 * `policyLearningRate`.
 *
 * @example
 * ```ts
 * const agent = await QsmAgent.create({ env, seed: 1 });
 * await train({ agent, env, steps: 100_000 });
 * ```
 */
export class QsmAgent extends DenoisingAgent<OptionValues<typeof qsmOptions>> {
  static readonly kind = 'QsmAgent';
  static readonly options = qsmOptions;
  readonly name = 'QSM';

  /** @throws ArgumentError for an option out of range or an unbounded action space */
  static create(options: QsmOptions): Promise<QsmAgent> {
    return QsmAgent.make(QsmAgent, options, (compiler) => new QsmAgent(QsmAgent, options, compiler));
  }

  protected override newSampler(): DdpmSampler {
    const { steps, hidden = [512, 512], ...given } = this.options.diffusion ?? {};
    const chain = given.schedule ? { steps } : { schedule: variancePreservingSchedule({ steps: steps ?? 5 }) };
    return new DdpmSampler({ startStd: 1, network: mishNetwork({ hidden }), ...given, ...chain });
  }

  protected policyTarget({ critic }: TargetContext): PolicyTarget {
    const { valueScale } = this.options;
    return {
      states: 'replay',
      variables: {},
      regression({ observations, noised }) {
        const slope = tf.grad((actions) => tf.sum(tf.add(...critic.apply(observations, actions as tf.Tensor2D))))(
          noised,
        );
        return {
          noise: tf.mul<tf.Tensor2D>(slope, -valueScale / 2),
          metrics: { slope: tf.sqrt(tf.mean(tf.square(slope))) },
        };
      },
    };
  }
}
