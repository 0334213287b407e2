import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { requireOneOf } from '../errors.js';
import { Mlp } from '../networks/mlp.js';
import type { Activation } from '../ops/activations.js';
import { moveTowards } from '../ops/ema.js';
import { logNormal, logNormalOfNoise } from '../ops/gaussian.js';
import { repeatRows } from '../ops/repeatRows.js';
import { stopGradient } from '../ops/stopGradient.js';
import { disposeVariables, type Variables } from '../ops/variables.js';
import { type GivenOptions, readOptions, widths } from '../options.js';
import type { Rng } from '../rng/rng.js';
import { type SamplingMode, samplingModes } from './chain.js';
import { completePath, type DiffusionPath } from './path.js';
import { functionOption } from './processOptions.js';
import {
  divergenceOption,
  readSampleOptions,
  requireInputs,
  requireObservations,
  requireRows,
  type SampleOptions,
  Sampler,
  type SamplerSizes,
} from './sampler.js';
import { tanhSquash } from './squash.js';

const LOG_STD_RANGE = [-20, 2] as const;

/** A network from observations `[B, inputs]` to means and log standard deviations side by side, `[B, outputs]`. */
export interface GaussianNetwork {
  readonly variables: Variables;
  /** What `training` moves, if anything. */
  readonly statistics?: Variables;
  apply(x: tf.Tensor2D, training?: boolean): tf.Tensor2D;
}

/** Makes a {@link GaussianNetwork}. */
export type GaussianNetworkFactory = (rng: Rng, sizes: { inputs: number; outputs: number }) => GaussianNetwork;

export const gaussianOptions = {
  hidden: widths([256, 256, 256], 'Hidden layers of the network.'),
  activation: functionOption<Activation>('After every hidden layer; default gelu.', '(x: Tensor) => Tensor'),
  network: functionOption<GaussianNetworkFactory>(
    'Makes another network; hidden and activation are not used then.',
    '(rng, sizes) => GaussianNetwork',
  ),
  divergence: divergenceOption,
};

export type GaussianOptions = GivenOptions<typeof gaussianOptions>;

/**
 * The tanh-Gaussian policy of SAC, as a chain of one kernel without noising kernel or prior: its total cost is exactly
 * minus the one-sample entropy. For DIME's ablation "everything else equal".
 *
 * @example
 * ```ts run
 * import * as tf from '@tensorflow/tfjs-core';
 * import { GaussianSampler, Rng, useBestBackend } from 'diffrl';
 *
 * await useBestBackend();
 * const sampler = new GaussianSampler({ hidden: [32] }).build(Rng.fromSeed(0), { observationSize: 3, actionSize: 2 });
 * const path = sampler.sample(tf.zeros([5, 3]), tf.tensor(Rng.fromSeed(1).normals(5 * 2), sampler.noiseShape(5)));
 * console.log(path.totalCost.shape); // [ 5 ]
 * ```
 */
export class GaussianSampler extends Sampler {
  /** The entropy that DIME's target of 4 stands for: 4 less the prior's entropy a dimension at standard deviation 2.5. */
  readonly targetRunCost = 4 - 0.5 * Math.log(2 * Math.PI * Math.E * 2.5 ** 2);
  private readonly createNetwork: GaussianNetworkFactory;
  private network!: GaussianNetwork;

  /** @throws ArgumentError for an option that is not what it must be */
  constructor(options: GaussianOptions = {}) {
    const { hidden, activation, network, divergence } = readOptions('GaussianSampler', options, gaussianOptions);
    super(divergence);
    described(this, new.target, options);
    this.createNetwork = network ?? ((rng, sizes) => new Mlp(rng, { ...sizes, hidden, activation }));
  }

  protected createVariables(rng: Rng, { observationSize, actionSize }: SamplerSizes): Variables {
    this.network = this.createNetwork(rng, { inputs: observationSize, outputs: 2 * actionSize });
    return this.network.variables;
  }

  /** As of any sampler, with the running statistics that it has now. */
  override twin(): this {
    const twin = super.twin();
    moveTowards(twin.statistics, this.statistics, 1);
    return twin;
  }

  /** Running statistics of the network, if it has any. */
  get statistics(): Variables {
    return this.network?.statistics ?? {};
  }

  /** `[rows, A]` */
  noiseShape(rows: number): [number, number] {
    return [requireRows(this, rows), this.sizes.actionSize];
  }

  sample(observations: tf.Tensor2D, noise: tf.Tensor, options: SampleOptions = {}): DiffusionPath {
    const { trajectory, groupSize, training } = readSampleOptions(this, options);
    requireInputs(this, observations, noise, groupSize);
    const repeated = repeatRows(observations, groupSize);
    const { mean, logStd } = this.moments(repeated, training);
    const drawn: tf.Tensor2D = tf.add(mean, tf.mul(tf.exp(logStd), noise as tf.Tensor2D));
    const end = trajectory === 'detached' ? stopGradient(drawn) : drawn;
    const logForward =
      trajectory === 'detached' ? logNormal(end, mean, tf.exp(logStd)) : logNormalOfNoise(noise, logStd);
    const zeros: tf.Tensor1D = tf.zeros([repeated.shape[0]]);
    return completePath({
      observations: repeated,
      states: [end],
      action: tanhSquash.apply(end),
      logForward: tf.expandDims(logForward) as tf.Tensor2D,
      logBackward: tf.expandDims(zeros) as tf.Tensor2D,
      logPrior: zeros,
      logDet: tanhSquash.logDet(end),
      groupSize,
    });
  }

  /** @param mode `'sde'` (default) draws, any other gives the squashed mean */
  actions(observations: tf.Tensor2D, noise: tf.Tensor, mode: SamplingMode = 'sde'): tf.Tensor2D {
    requireOneOf('GaussianSampler.actions', 'mode', mode, samplingModes);
    requireInputs(this, observations, noise);
    const { mean, logStd } = this.moments(observations);
    if (mode !== 'sde') return tanhSquash.apply(mean);
    return tanhSquash.apply(tf.add(mean, tf.mul(tf.exp(logStd), noise as tf.Tensor2D)));
  }

  override dispose(): void {
    super.dispose();
    disposeVariables(this.statistics);
  }

  /** Mean and log standard deviation before the squash, `[B, A]` each. */
  moments(observations: tf.Tensor2D, training = false): { mean: tf.Tensor2D; logStd: tf.Tensor2D } {
    requireObservations(this, observations);
    requireOneOf('GaussianSampler.moments', 'training', training, [true, false]);
    const [mean, logStd] = tf.split(this.network.apply(observations, training), 2, 1) as [tf.Tensor2D, tf.Tensor2D];
    return { mean, logStd: tf.clipByValue(logStd, ...LOG_STD_RANGE) };
  }
}
