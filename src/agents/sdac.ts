import * as tf from '@tensorflow/tfjs-core';
import { requireInteger, requireNumber, requireOneOf } from '../errors.js';
import { reverseSamplingTarget } from '../objectives/rssm.js';
import { RunningMean } from '../ops/runningMean.js';
import { variablesAsState } from '../ops/variables.js';
import { DenoisingAgent, type DenoisingOptions, type NoisedActions, type Regression } from './denoisingAgent.js';
import { type Arrays, type Compiler, selectCompiler } from './legacyProgram.js';

export interface SdacOptions extends DenoisingOptions {
  /** Reverse samples N for every noised action, >= 1, default 64. */
  reverseSamples?: number;
  /** See {@link ReverseSamplingOptions.proposal}; default `'truncated'`. */
  proposal?: 'truncated' | 'clip';
  /** The weights are softmax(`valueScale` * value / noise level), > 0, default 5: softmax(value) at the start. */
  valueScale?: number;
  /**
   * The value of a reverse sample: `'normalised'` (default) is the smaller Q over the running deviation of the smaller Q among the
   * reverse samples of a state, which makes the temperature independent of the scale of the rewards; `'raw'` is the smaller Q.
   */
  values?: 'normalised' | 'raw';
  /**
   * Where the noised actions come from: `'next'` (default) takes the next states with the actions drawn for the critics' target,
   * `'current'` draws others for the states themselves, which takes a second run of the chain.
   */
  policyStates?: 'next' | 'current';
}

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
 * const action = await agent.act(observation, { explore: false });
 * ```
 */
export class SdacAgent extends DenoisingAgent {
  readonly name = 'SDAC';
  private readonly settings: Settings;
  private readonly spread: RunningMean;

  /**
   * Builds the networks; sizes are read from `env`.
   *
   * @throws ArgumentError for an option out of range or an unbounded action space
   */
  static async create(options: SdacOptions): Promise<SdacAgent> {
    return new SdacAgent(options, await selectCompiler(options.compile));
  }

  protected constructor(options: SdacOptions, compiler: Compiler) {
    const settings = checked(options);
    super('SdacAgent', options, compiler);
    this.settings = settings;
    this.spread = new RunningMean(SPREAD_RATE);
    this.parts.spread = variablesAsState(this.spread.variables);
  }

  protected override policyInputs(): Arrays {
    const { reverseSamples, proposal, policyStates } = this.settings;
    const shape = [this.batchSize, this.actionSpace.size, reverseSamples];
    const size = shape.reduce((product, n) => product * n);
    const data = proposal === 'clip' ? this.noise.normals(size) : this.noise.uniforms(size);
    const reverseNoise = { data, shape };
    if (policyStates === 'next') return { reverseNoise };
    return {
      reverseNoise,
      currentNoise: this.chainNoise(this.batchSize, this.targetParticles),
      currentExploration: this.exploration(this.batchSize),
    };
  }

  protected override policyData(inputs: Record<string, tf.Tensor>, nextActions: tf.Tensor2D) {
    if (this.settings.policyStates === 'next') return super.policyData(inputs, nextActions);
    const observations = inputs.observations as tf.Tensor2D;
    const { currentNoise, currentExploration } = inputs as Record<string, tf.Tensor2D>;
    return { observations, clean: this.noisyActions(observations, currentNoise!, currentExploration!) };
  }

  protected regression(
    { observations, noised, step }: NoisedActions,
    { reverseNoise, noiseLevel }: Record<string, tf.Tensor>,
  ): Regression {
    const { noise, effectiveSampleSize, clippedShare } = reverseSamplingTarget(
      { noised, step, noise: reverseNoise as tf.Tensor3D },
      {
        schedule: this.sampler.schedule,
        logWeight: this.exponent(observations, noiseLevel as tf.Tensor),
        proposal: this.settings.proposal,
      },
    );
    return { noise, metrics: { effectiveSampleSize, clippedShare } };
  }

  /** The logarithm of the weights of reverse samples. */
  private exponent(observations: tf.Tensor2D, noiseLevel: tf.Tensor): (samples: tf.Tensor2D) => tf.Tensor1D {
    const { reverseSamples, valueScale, values } = this.settings;
    const minimum = this.critic.bindMin(observations, reverseSamples);
    return (samples) => {
      const value = minimum(samples);
      const exponent: tf.Tensor1D = tf.div(tf.mul(value, valueScale), noiseLevel);
      if (values === 'raw') return exponent;
      return tf.div(exponent, tf.add(this.spread.track(deviationWithin(value, reverseSamples)), 1e-8));
    };
  }

  override dispose(): void {
    super.dispose();
    this.spread.dispose();
  }
}

type Settings = Required<Pick<SdacOptions, 'reverseSamples' | 'proposal' | 'valueScale' | 'values' | 'policyStates'>>;

function checked({
  reverseSamples = 64,
  proposal = 'truncated',
  valueScale = 5,
  values = 'normalised',
  policyStates = 'next',
}: SdacOptions): Settings {
  requireInteger('SdacAgent', 'reverseSamples', reverseSamples, { min: 1 });
  requireOneOf('SdacAgent', 'proposal', proposal, ['truncated', 'clip']);
  requireNumber('SdacAgent', 'valueScale', valueScale, { above: 0 });
  requireOneOf('SdacAgent', 'values', values, ['normalised', 'raw']);
  requireOneOf('SdacAgent', 'policyStates', policyStates, ['next', 'current']);
  return { reverseSamples, proposal, valueScale, values, policyStates };
}

/** How far the running deviation of values moves at an update of the policy. */
const SPREAD_RATE = 0.01;

/** Root of the mean squared distance from the mean of the own group, over groups of `size`. */
function deviationWithin(values: tf.Tensor1D, size: number): tf.Scalar {
  const groups = tf.reshape(values, [-1, size]);
  return tf.sqrt(tf.mean(tf.square(tf.sub(groups, tf.mean(groups, 1, true)))) as tf.Scalar);
}
