import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { requireOneOf } from '../errors.js';
import { Mlp } from '../networks/mlp.js';
import type { StepNetwork } from '../networks/stepNetwork.js';
import { TimeConditionedMlp } from '../networks/timeConditionedMlp.js';
import { logNormal, logNormalOfNoise } from '../ops/gaussian.js';
import { unstack } from '../ops/pieces.js';
import { repeatRows } from '../ops/repeatRows.js';
import { stopGradient } from '../ops/stopGradient.js';
import { prefixVariables, type Variables } from '../ops/variables.js';
import { type GivenOptions, integer, readOptions, widths } from '../options.js';
import type { Rng } from '../rng/rng.js';
import { type SamplingMode, samplingModes } from './chain.js';
import { completePath, type DiffusionPath } from './path.js';
import type { NetworkFactory } from './process.js';
import { networkOption } from './processOptions.js';
import {
  divergenceOption,
  readSampleOptions,
  requireInputs,
  requireRows,
  type SampleOptions,
  Sampler,
  type SamplerSizes,
} from './sampler.js';
import { tanhSquash } from './squash.js';

const LOG_STD_RANGE = [-5, 2] as const;
/** Where gates start, so that they are open. */
const GATE_BIAS = 5;

export const flowOptions = {
  steps: integer(4, { min: 1 }, 'Steps K of the flow.'),
  network: networkOption('Makes the network of candidate and gate, of 2 A outputs.', 'a TimeConditionedMlp, 2 x 256'),
  stdHidden: widths([256, 256], 'Hidden layers of the network of the standard deviations.'),
  divergence: divergenceOption,
};

export type FlowOptions = GivenOptions<typeof flowOptions>;

/**
 * The flow policy of SAC Flow-G (Zhang et al. 2025, "SAC Flow"): a few Euler steps of a velocity field from standard normal noise,
 * $x \leftarrow x + \tfrac1K\,z \odot (h - x) + \sigma(s)\,\epsilon$ with candidate h and gate $z = \mathrm{sigmoid}(g + 5)$ of x,
 * observation and time, so that a step is that of a gated recurrent unit and gradients through the chain stay small. The noise, whose
 * deviation is learned for each observation within $e^{-5}$ and $e^{2}$, gives each step a density; the end is squashed by tanh.
 *
 * There are no noising kernels: `totalCost` is the log-density of the whole path, as in the authors' code. Its mean is minus
 * the entropy of path and action together, of which the action's is a part: no bound, other than DIME's. `targetRunCost` is what
 * the authors' target of 0 for it comes to, a dimension.
 *
 * The agent around it is DIME: `DimeAgent` with `critic: 'scalar'` is what the authors train from scratch, but for their batch
 * renormalisation in the policy.
 *
 * @example
 * ```ts run
 * import * as tf from '@tensorflow/tfjs-core';
 * import { FlowSampler, Rng, useBestBackend } from 'diffrl';
 *
 * await useBestBackend();
 * const sampler = new FlowSampler({ steps: 2 }).build(Rng.fromSeed(0), { observationSize: 3, actionSize: 2 });
 * const noise = tf.tensor(Rng.fromSeed(1).normals(3 * 5 * 2), sampler.noiseShape(5));
 * console.log(sampler.sample(tf.zeros([5, 3]), noise).totalCost.shape); // [ 5 ]
 * ```
 */
export class FlowSampler extends Sampler {
  readonly targetRunCost = 0.5 * Math.log(2 * Math.PI * Math.E);
  /** K */
  readonly steps: number;
  private readonly createNetwork: NetworkFactory;
  private readonly stdHidden: readonly number[];
  private field!: StepNetwork;
  private deviations!: Mlp;

  /** @throws ArgumentError for an option that is not what it must be */
  constructor(options: FlowOptions = {}) {
    const { steps, network, stdHidden, divergence } = readOptions('FlowSampler', options, flowOptions);
    super(divergence);
    described(this, new.target, options);
    this.steps = steps;
    this.stdHidden = stdHidden;
    const own: NetworkFactory = (rng, sizes) =>
      new TimeConditionedMlp(rng, {
        ...{ ...sizes, outputs: 2 * sizes.actionSize, hidden: [256, 256], timeSize: 32, lastKernel: 'normal' },
      });
    this.createNetwork = network ?? own;
  }

  protected createVariables(rng: Rng, sizes: SamplerSizes): Variables {
    const { observationSize: inputs, actionSize: outputs } = sizes;
    this.field = this.createNetwork(rng.split('field'), sizes);
    this.deviations = new Mlp(rng.split('std'), { inputs, outputs, hidden: this.stdHidden, activation: tf.relu });
    return {
      ...prefixVariables('field', this.field.variables),
      ...prefixVariables('std', this.deviations.variables),
    };
  }

  /** `[K + 1, rows, A]`: the start, then the noise of every step. */
  noiseShape(rows: number): [number, number, number] {
    return [this.steps + 1, requireRows(this, rows), this.sizes.actionSize];
  }

  sample(observations: tf.Tensor2D, noise: tf.Tensor, options: SampleOptions = {}): DiffusionPath {
    const { trajectory, groupSize } = readSampleOptions(this, options);
    requireInputs(this, observations, noise, groupSize);
    const detached = trajectory === 'detached';
    const mean = this.means(observations, groupSize);
    const logStd = repeatRows(this.logStd(observations), groupSize);
    const [start, ...kicks] = unstack(noise) as [tf.Tensor2D, ...tf.Tensor2D[]];
    const states = [start];
    const logForward = kicks.map((kick, k) => {
      const at = mean(states[k] as tf.Tensor2D, k);
      const next: tf.Tensor2D = tf.add(at, tf.mul(tf.exp(logStd), kick));
      states.push(detached ? stopGradient(next) : next);
      return detached ? logNormal(states[k + 1] as tf.Tensor2D, at, tf.exp(logStd)) : logNormalOfNoise(kick, logStd);
    });
    const end = states[this.steps] as tf.Tensor2D;
    return completePath({
      observations: repeatRows(observations, groupSize),
      states,
      action: tanhSquash.apply(end),
      logForward: tf.stack(logForward) as tf.Tensor2D,
      logBackward: tf.zeros([this.steps, end.shape[0]]),
      logPrior: logNormal(start, 0, 1) as tf.Tensor1D,
      logDet: tanhSquash.logDet(end),
      groupSize,
    });
  }

  /** @param mode `'sde'` (default) draws; `'lastStepMean'` leaves out the last noise, `'deterministic'` all, others that of all steps */
  actions(observations: tf.Tensor2D, noise: tf.Tensor, mode: SamplingMode = 'sde'): tf.Tensor2D {
    requireOneOf('FlowSampler.actions', 'mode', mode, samplingModes);
    requireInputs(this, observations, noise);
    const mean = this.means(observations, 1);
    const std = tf.exp(this.logStd(observations));
    const [start, ...kicks] = unstack(noise) as [tf.Tensor2D, ...tf.Tensor2D[]];
    const noisy = { sde: this.steps, lastStepMean: this.steps - 1, ode: 0, mean: 0, deterministic: 0 }[mode];
    let x = mode === 'deterministic' ? tf.zerosLike(start) : start;
    kicks.forEach((kick, k) => {
      const next = mean(x, k);
      x = k < noisy ? tf.add(next, tf.mul(std, kick)) : next;
    });
    return tanhSquash.apply(x);
  }

  /** Where step k leads from x `[B * groupSize, A]` without noise. */
  private means(observations: tf.Tensor2D, groupSize: number): (x: tf.Tensor2D, k: number) => tf.Tensor2D {
    const field = this.field.bind(observations, this.steps, groupSize);
    return (x, k) => {
      const [candidate, gate] = tf.split(field(x, k), 2, 1) as [tf.Tensor2D, tf.Tensor2D];
      const velocity = tf.mul(tf.sigmoid(tf.add(gate, GATE_BIAS)), tf.sub(candidate, x));
      return tf.add(x, tf.div(velocity, this.steps));
    };
  }

  /** `[B, A]` */
  private logStd(observations: tf.Tensor2D): tf.Tensor2D {
    const [low, high] = LOG_STD_RANGE;
    const share = tf.mul(tf.add(tf.tanh(this.deviations.apply(observations)), 1), 0.5);
    return tf.add(tf.mul(share, high - low), low);
  }
}
