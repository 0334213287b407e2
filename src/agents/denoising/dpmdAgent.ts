import * as tf from '@tensorflow/tfjs-core';
import { disposeVariables } from '../../ops/variables.js';
import { integer, type OptionValues, oneOf } from '../../options.js';
import type { AgentOptions } from '../baseAgent.js';
import {
  DenoisingAgent,
  denoisingOptions,
  type NoisedActions,
  type PolicyTarget,
  type Regression,
  type TargetContext,
} from './denoisingAgent.js';

const dpmdOptions = {
  ...denoisingOptions,
  weighting: oneOf(
    ['normalised', 'released', 'uniform'],
    'normalised',
    'Weights of actions: exp(clip((q - mean) / deviation, -3, 3) / temperature), with (q - mean / deviation) as released, or none.',
  ),
  criticSteps: integer(1, { min: 1 }, 'Adam steps of the critics with one gradient; the released code takes 2.'),
};

export type DpmdOptions = AgentOptions<typeof dpmdOptions>;

/**
 * DPMD (Ma et al. 2025): denoising score matching on the policy's own best-of-N actions, weighted by the exponential of their
 * normalised value: mirror descent with a diffusion policy. It is what the code released with the February 2025 text of
 * SDAC runs, and most likely behind that text's table.
 *
 * Defaults are our own; {@link dpmdPresets} has those of the released code.
 *
 * @example
 * ```ts
 * const agent = await DpmdAgent.create({ env, seed: 1 });
 * await train({ agent, env, steps: 100_000 });
 * ```
 */
export class DpmdAgent extends DenoisingAgent<OptionValues<typeof dpmdOptions>> {
  static readonly kind = 'DpmdAgent';
  static readonly options = dpmdOptions;
  readonly name = 'DPMD';

  /**
   * Builds the networks; sizes are read from `env`.
   *
   * @throws ArgumentError for an option out of range or an unbounded action space
   */
  static create(options: DpmdOptions): Promise<DpmdAgent> {
    return DpmdAgent.make(DpmdAgent, options, (compiler) => new DpmdAgent(DpmdAgent, options, compiler));
  }

  protected policyTarget(context: TargetContext): PolicyTarget {
    return new WeightedActions(context, this.options);
  }

  protected override get criticSteps(): number {
    return this.options.criticSteps;
  }
}

const CLIP = 3;
/** How far the running statistics move at an update. */
const RATE = 1e-3;

/** The noise that was added, weighted by the value of the action it was added to. */
class WeightedActions implements PolicyTarget {
  readonly states = 'next';
  /** Running mean and standard deviation of the smaller critic's values. */
  readonly variables = { mean: scalarVariable(0), std: scalarVariable(1) };

  constructor(
    private readonly context: TargetContext,
    private readonly options: OptionValues<typeof dpmdOptions>,
  ) {}

  regression({ observations, clean, noise, temperature }: NoisedActions): Regression {
    const { weighting } = this.options;
    if (weighting === 'uniform') return { noise, metrics: {} };
    const { mean, std } = this.variables;
    const values = this.context.critic.bindMin(observations, 1)(clean);
    const score: tf.Tensor1D =
      weighting === 'released' ? tf.sub(values, tf.div(mean, std)) : tf.div(tf.sub(values, mean), std);
    const weights = tf.exp(tf.div<tf.Tensor1D>(tf.clipByValue(score, -CLIP, CLIP), temperature));
    this.track(values);
    return { noise, weights, metrics: { weight: tf.mean(weights), weightSpread: deviation(weights) } };
  }

  /** Moves the running statistics as far as `policyDelay` updates do; a single value deviates from the running mean. */
  private track(values: tf.Tensor1D): void {
    const rate = 1 - (1 - RATE) ** this.options.policyDelay;
    const { mean, std } = this.variables;
    const spread = values.size > 1 ? deviation(values) : deviation(values, mean);
    mean.assign(tf.add(tf.mul(mean, 1 - rate), tf.mul(tf.mean(values), rate)));
    std.assign(tf.add(tf.mul(std, 1 - rate), tf.mul(spread, rate)));
  }

  dispose(): void {
    disposeVariables(this.variables);
  }
}

function scalarVariable(value: number): tf.Variable<tf.Rank.R0> {
  return tf.tidy(() => tf.variable(tf.scalar(value), false));
}

function deviation(x: tf.Tensor1D, from: tf.Scalar = tf.mean(x)): tf.Scalar {
  return tf.sqrt(tf.mean<tf.Scalar>(tf.square(tf.sub(x, from))));
}
