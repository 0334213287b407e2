import * as tf from '@tensorflow/tfjs-core';
import { reverseSamplingTarget } from '../../objectives/rssm.js';
import { RunningMean } from '../../ops/runningMean.js';
import { integer, number, type OptionValues, oneOf } from '../../options.js';
import type { Rng } from '../../rng/rng.js';
import type { AgentOptions } from '../baseAgent.js';
import {
  DenoisingAgent,
  denoisingOptions,
  type NoisedActions,
  type PolicyTarget,
  type Regression,
  type TargetContext,
} from './denoisingAgent.js';

const sdacOptions = {
  ...denoisingOptions,
  reverseSamples: integer(64, { min: 1 }, 'Reverse samples N for every noised action.'),
  proposal: oneOf(
    ['truncated', 'clip'],
    'truncated',
    'Reverse samples are drawn within [-1, 1], or clipped to it as released.',
  ),
  valueScale: number(
    5,
    { above: 0 },
    'The weights are softmax(valueScale * value / temperature): softmax(value) at the start.',
  ),
  values: oneOf(
    ['normalised', 'raw'],
    'normalised',
    "A sample's value: the smaller Q over its running deviation among a state's samples, or the smaller Q as released.",
  ),
  policyStates: oneOf(
    ['next', 'current'],
    'next',
    "Noised are the actions of the critics' target, or others for the states themselves (a second run of the chain).",
  ),
};

export type SdacOptions = AgentOptions<typeof sdacOptions>;

/**
 * SDAC with reverse sampling score matching (Ma et al. 2025, "Efficient Online Reinforcement Learning for Diffusion Policy"):
 * the policy's score at a noised action is estimated from reverse samples weighted by exp(min Q / lambda), so that the policy
 * tends to the Boltzmann distribution of its critics without samples of it and without gradients of Q.
 *
 * Defaults are our own; {@link sdacPresets} has those of the released code, and the documentation says where the two differ.
 *
 * @example
 * ```ts
 * const agent = await SdacAgent.create({ env, seed: 1 });
 * await train({ agent, env, steps: 100_000 });
 * const { actions } = await agent.act(observation, { explore: false });
 * ```
 */
export class SdacAgent extends DenoisingAgent<OptionValues<typeof sdacOptions>> {
  static readonly kind = 'SdacAgent';
  static readonly options = sdacOptions;
  readonly name = 'SDAC';

  /**
   * Builds the networks; sizes are read from `env`.
   *
   * @throws ArgumentError for an option out of range or an unbounded action space
   */
  static create(options: SdacOptions): Promise<SdacAgent> {
    return SdacAgent.make(SdacAgent, options, (compiler) => new SdacAgent(SdacAgent, options, compiler));
  }

  protected policyTarget(context: TargetContext): PolicyTarget {
    return new ReverseSampling(context, this.options);
  }
}

/** How far the running deviation of values moves at an update of the policy. */
const SPREAD_RATE = 0.01;

/** The noise of reverse samples, averaged with the weights of their values. */
class ReverseSampling implements PolicyTarget {
  readonly states: 'next' | 'current';
  private readonly spread = new RunningMean(SPREAD_RATE);
  readonly variables = this.spread.variables;

  constructor(
    private readonly context: TargetContext,
    private readonly options: OptionValues<typeof sdacOptions>,
  ) {
    this.states = options.policyStates;
  }

  draw(noise: Rng, rows: number) {
    const shape = [rows, this.context.actionSize, this.options.reverseSamples];
    const size = tf.util.sizeFromShape(shape);
    return { data: this.options.proposal === 'clip' ? noise.normals(size) : noise.uniforms(size), shape };
  }

  regression({ observations, noised, step, temperature }: NoisedActions, drawn: tf.Tensor3D): Regression {
    const { noise, effectiveSampleSize, clippedShare } = reverseSamplingTarget(
      { noised, step, noise: drawn },
      {
        schedule: this.context.schedule,
        logWeight: this.logWeight(observations, temperature),
        proposal: this.options.proposal,
      },
    );
    return { noise, metrics: { effectiveSampleSize, clippedShare } };
  }

  private logWeight(observations: tf.Tensor2D, temperature: tf.Scalar): (samples: tf.Tensor2D) => tf.Tensor1D {
    const { reverseSamples, valueScale, values } = this.options;
    const minimum = this.context.critic.bindMin(observations, reverseSamples);
    return (samples) => {
      const value = minimum(samples);
      const exponent: tf.Tensor1D = tf.div(tf.mul(value, valueScale), temperature);
      if (values === 'raw') return exponent;
      return tf.div(exponent, tf.add(this.spread.track(deviationWithin(value, reverseSamples)), 1e-8));
    };
  }

  dispose(): void {
    this.spread.dispose();
  }
}

/** Root of the mean squared distance from the mean of the own group, over groups of `size`. */
function deviationWithin(values: tf.Tensor1D, size: number): tf.Scalar {
  const groups = tf.reshape(values, [-1, size]);
  return tf.sqrt(tf.mean<tf.Scalar>(tf.square(tf.sub(groups, tf.mean(groups, 1, true)))));
}
