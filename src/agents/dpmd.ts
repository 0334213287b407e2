import * as tf from '@tensorflow/tfjs-core';
import { requireInteger, requireOneOf } from '../errors.js';
import { disposeVariables, variablesAsState } from '../ops/variables.js';
import { DenoisingAgent, type DenoisingOptions, type NoisedActions, type Regression } from './denoisingAgent.js';
import { type Compiler, selectCompiler } from './legacyProgram.js';

export interface DpmdOptions extends DenoisingOptions {
  /**
   * How actions are weighted, from q, the smaller critic value, and its running mean and standard deviation:
   * - `'normalised'` (default): exp(clip((q - mean) / deviation, -3, 3) / noise level), as the paper has it;
   * - `'released'`: exp(clip(q - mean / deviation, -3, 3) / noise level), as the released code has it by a missing bracket;
   * - `'uniform'`: none, so that selection among particles alone improves the policy.
   */
  weighting?: 'normalised' | 'released' | 'uniform';
  /** Adam steps of the critics with one gradient, >= 1, default 1; the released code takes 2. */
  criticSteps?: number;
}

const CLIP = 3;
/** How far the running statistics move at an update. */
const RATE = 1e-3;

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
export class DpmdAgent extends DenoisingAgent {
  readonly name = 'DPMD';
  protected override readonly criticSteps: number;
  private readonly weighting: 'normalised' | 'released' | 'uniform';
  private readonly statistics: { mean: tf.Variable<tf.Rank.R0>; std: tf.Variable<tf.Rank.R0> };

  /**
   * Builds the networks; sizes are read from `env`.
   *
   * @throws ArgumentError for an option out of range or an unbounded action space
   */
  static async create(options: DpmdOptions): Promise<DpmdAgent> {
    return new DpmdAgent(options, await selectCompiler(options.compile));
  }

  protected constructor(options: DpmdOptions, compiler: Compiler) {
    const { weighting = 'normalised', criticSteps = 1 } = options;
    requireOneOf('DpmdAgent', 'weighting', weighting, ['normalised', 'released', 'uniform']);
    requireInteger('DpmdAgent', 'criticSteps', criticSteps, { min: 1 });
    super('DpmdAgent', options, compiler);
    this.weighting = weighting;
    this.criticSteps = criticSteps;
    const scalar = (value: number): tf.Variable<tf.Rank.R0> => tf.tidy(() => tf.variable(tf.scalar(value), false));
    this.statistics = { mean: scalar(0), std: scalar(1) };
    this.parts.statistics = variablesAsState(this.statistics);
  }

  protected regression(
    { observations, clean, noise }: NoisedActions,
    { noiseLevel }: Record<string, tf.Tensor>,
  ): Regression {
    if (this.weighting === 'uniform') return { noise, metrics: {} };
    const { mean, std } = this.statistics;
    const values = this.critic.bindMin(observations, 1)(clean);
    const score: tf.Tensor1D =
      this.weighting === 'released' ? tf.sub(values, tf.div(mean, std)) : tf.div(tf.sub(values, mean), std);
    const exponent: tf.Tensor1D = tf.div(tf.clipByValue(score, -CLIP, CLIP), noiseLevel as tf.Tensor);
    const weights = tf.exp(exponent);
    this.track(values);
    return { noise, weights, metrics: { weight: tf.mean(weights), weightSpread: deviation(weights) } };
  }

  /** Moves the running statistics as far as `policyDelay` updates do. */
  private track(values: tf.Tensor1D): void {
    const rate = 1 - (1 - RATE) ** this.policyDelay;
    const { mean, std } = this.statistics;
    mean.assign(tf.add(tf.mul(mean, 1 - rate), tf.mul(tf.mean(values), rate)));
    std.assign(tf.add(tf.mul(std, 1 - rate), tf.mul(deviation(values), rate)));
  }

  override dispose(): void {
    super.dispose();
    disposeVariables(this.statistics);
  }
}

function deviation(x: tf.Tensor1D): tf.Scalar {
  return tf.sqrt(tf.mean(tf.square(tf.sub(x, tf.mean(x)))) as tf.Scalar);
}
