import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { requireInteger, requireList, requireNumber, requireShape } from '../errors.js';
import type { BoundNetwork, StepNetwork } from '../networks/stepNetwork.js';
import { TimeConditionedMlp } from '../networks/timeConditionedMlp.js';
import { sinusoidalFeatures } from '../networks/timeEmbedding.js';
import { mish } from '../ops/activations.js';
import { entriesOf, rowsOf } from '../ops/linear.js';
import { unstack } from '../ops/pieces.js';
import type { Variables } from '../ops/variables.js';
import { type GivenOptions, integer, number, option, readOptions, widths } from '../options.js';
import { Rng } from '../rng/rng.js';
import { cosineSchedule } from '../schedules/cosine.js';
import type { NoiseSchedule } from '../schedules/schedule.js';
import { type ChainStates, runChain } from './chain.js';
import type { TransitionKernels } from './kernels.js';
import { noiseLevels, scoreFromNoise } from './noising.js';
import type { BindOptions, NetworkFactory, Process } from './process.js';
import { chosenSchedule, networkOption, scheduleOption } from './processOptions.js';
import {
  ActionSampler,
  readBindOptions,
  requireInputs,
  requireObservations,
  requireRows,
  type SamplerSizes,
} from './sampler.js';

/** Where tanh is 0.995. With no limit untrained chains run off: 99 % of their actions lie beyond 0.99 at K = 8. */
const LIMIT_BEFORE_TANH = 3;

function limitOption(initial: number) {
  return option<number>({
    doc: 'Predictions of the clean action are clipped to [-limit, limit]; Infinity clips nothing.',
    allowed: 'number > 0 or Infinity',
    initial,
    check: (where, name, value) => (value === Infinity ? value : requireNumber(where, name, value, { above: 0 })),
  });
}

export const ddpmOptions = {
  steps: integer(undefined, { min: 1 }, 'Diffusion steps K, default 20; or give a schedule.'),
  schedule: scheduleOption('Its betas are used.', 'cosineSchedule({ steps })'),
  startStd: number(undefined, { above: 0 }, "Standard deviation of the chain's start; default sqrt(1 - alphaBar_K)."),
  limit: limitOption(1),
  hidden: widths([256, 256, 256], 'Hidden layers of the default network.'),
  network: networkOption('Makes the noise-predicting network.', "SDAC's: 3 x 256 with Mish, 16 sinusoids of the step"),
};

export type DdpmOptions = GivenOptions<typeof ddpmOptions>;

const processOptions = { ...ddpmOptions, limit: limitOption(LIMIT_BEFORE_TANH) };

/**
 * The kernels of denoising diffusion (Ho et al. 2020) as a {@link Process}: those of {@link DdpmSampler}, but with variance
 * $\beta_i$ in both directions (the other of the paper's two choices), so that the last step has a density too and the chain
 * can be priced. The noising kernels are $x_i \sim N(\sqrt{\alpha_i}\,x_{i-1},\ \beta_i I)$, exact Ornstein-Uhlenbeck steps.
 * Its chain ends where a squash takes over, so `limit` is 3 by default: tanh comes within 0.005 of the bounds.
 *
 * @throws ArgumentError as for {@link DdpmSampler}
 *
 * @example
 * ```ts run
 * import * as tf from '@tensorflow/tfjs-core';
 * import { DiffusionSampler, ddpm, noSquash, Rng, useBestBackend } from 'diffrl';
 *
 * await useBestBackend();
 * const sampler = new DiffusionSampler({ process: ddpm({ steps: 8 }), squash: noSquash });
 * sampler.build(Rng.fromSeed(0), { observationSize: 3, actionSize: 2 });
 * const path = sampler.sample(tf.zeros([5, 3]), tf.tensor(Rng.fromSeed(1).normals(9 * 5 * 2), sampler.noiseShape(5)));
 * console.log(path.totalCost.shape); // [ 5 ]
 * ```
 */
export function ddpm(options: DdpmOptions = {}): Process {
  const { schedule, startStd, limit, network } = checkedOptions('ddpm', options, processOptions);
  const process: Process = {
    schedule,
    priorStd: startStd,
    network,
    build(rng, sizes) {
      const built = network(rng, sizes);
      const { actionSize } = sizes;
      return {
        variables: built.variables,
        bind(observations, { groupSize = 1 } = {}) {
          const predictNoise = built.bind(observations, schedule.steps, groupSize);
          return ddpmKernels(schedule, { predictNoise, limit, actionSize, variances: schedule.betas });
        },
      };
    },
  };
  return described(process, ddpm, options);
}

/**
 * A policy that starts from noise and removes it step by step (Ho et al. 2020): a network predicts the noise, the clean
 * action follows and is clipped, and the next state is drawn from the Gaussian posterior between the two:
 *
 * $\hat x_0 = \mathrm{clip}\big((x - \sqrt{1 - \bar\alpha_i}\,\epsilon_\theta)/\sqrt{\bar\alpha_i}\big)$,
 * $x_{i-1} \sim N\big(\tfrac{\beta_i \sqrt{\bar\alpha_{i-1}}}{1 - \bar\alpha_i}\hat x_0 +
 * \tfrac{(1 - \bar\alpha_{i-1})\sqrt{\alpha_i}}{1 - \bar\alpha_i} x,\ \tfrac{1 - \bar\alpha_{i-1}}{1 - \bar\alpha_i}\beta_i I\big)$.
 *
 * The last kernel has no variance, so **neither its paths nor its actions have a density** that could be written down:
 * there is no `sample` with log-ratios as in {@link Sampler}, and agents that need an entropy bound do not take it. It
 * is trained by regression on the noise, see {@link denoisingScoreMatchingLoss} and {@link rssmLoss}.
 *
 * **Subclass requirements.** Besides those of {@link ActionSampler}: override `bind` to change the kernels.
 *
 * @example
 * ```ts run
 * import * as tf from '@tensorflow/tfjs-core';
 * import { DdpmSampler, Rng, useBestBackend } from 'diffrl';
 *
 * await useBestBackend();
 * const sampler = new DdpmSampler({ steps: 20 }).build(Rng.fromSeed(0), { observationSize: 3, actionSize: 2 });
 * const noise = tf.tensor(Rng.fromSeed(1).normals(20 * 5 * 2), sampler.noiseShape(5));
 * console.log(sampler.actions(tf.zeros([5, 3]), noise).shape); // [ 5, 2 ]
 * ```
 */
export class DdpmSampler extends ActionSampler {
  readonly schedule: NoiseSchedule;
  /** Standard deviation of the chain's start. */
  readonly startStd: number;
  /** Actions are in [-limit, limit]. */
  readonly limit: number;
  private readonly createNetwork: NetworkFactory;
  private network!: StepNetwork;

  /** @throws ArgumentError for steps below 1, a deviation or limit that is not positive, or both steps and schedule */
  constructor(options: DdpmOptions = {}) {
    super();
    described(this, new.target, options);
    const { schedule, startStd, limit, network } = checkedOptions('DdpmSampler', options, ddpmOptions);
    this.schedule = schedule;
    this.startStd = startStd;
    this.limit = limit;
    this.createNetwork = network;
  }

  protected createVariables(rng: Rng, sizes: SamplerSizes): Variables {
    this.network = this.createNetwork(rng, sizes);
    return this.network.variables;
  }

  /** `[K, rows, A]`: the start's noise, then that of every step but the last, which adds none. */
  noiseShape(rows: number): [number, number, number] {
    return [this.schedule.steps, requireRows(this, rows), this.sizes.actionSize];
  }

  /**
   * Actions `[B * groupSize, A]` in [-limit, limit], `groupSize` independent ones (particles) in a row for every
   * observation; `noise` of shape `noiseShape(B * groupSize)`.
   */
  actions(observations: tf.Tensor2D, noise: tf.Tensor, groupSize = 1): tf.Tensor2D {
    return this.chain(observations, noise, groupSize).states[this.schedule.steps] as tf.Tensor2D;
  }

  /** All states of the chain and the means of its kernels, generation order; the last state is the action. */
  chain(observations: tf.Tensor2D, noise: tf.Tensor, groupSize = 1): ChainStates {
    requireInputs(this, observations, noise, groupSize);
    const [start, ...kicks] = unstack(noise) as tf.Tensor2D[];
    return runChain(this.bind(observations, { groupSize }), tf.mul(start as tf.Tensor2D, this.startStd), kicks);
  }

  /** The noise that the network sees in `noised` `[B, A]`; `step` `[B]` in noising order, 0 next to the action. */
  predictNoise(noised: tf.Tensor2D, observations: tf.Tensor2D, step: tf.Tensor1D): tf.Tensor2D {
    requireObservations(this, observations);
    const rows = observations.shape[0];
    requireShape('DdpmSampler', 'noised', noised, [rows, this.sizes.actionSize]);
    requireShape('DdpmSampler', 'step', step, [rows]);
    return this.network.bind(observations, this.schedule.steps)(noised, step);
  }

  /** $\nabla\log p_i(x \mid s)$ of the noised actions, `[B, A]`, from the predicted noise. */
  score(noised: tf.Tensor2D, observations: tf.Tensor2D, step: tf.Tensor1D): tf.Tensor2D {
    return scoreFromNoise(this.predictNoise(noised, observations, step), noiseLevels(this.schedule, step));
  }

  /** The kernels for observations `[B, O]`, in generation order; the last one has standard deviation 0. */
  bind(observations: tf.Tensor2D, options?: BindOptions): TransitionKernels {
    requireObservations(this, observations);
    const { groupSize } = readBindOptions(this, options);
    const { schedule, network, limit } = this;
    const predictNoise = network.bind(observations, schedule.steps, groupSize);
    const { actionSize } = this.sizes;
    return ddpmKernels(schedule, { predictNoise, limit, actionSize, variances: schedule.posteriorVariances });
  }

  /**
   * Standard normal noise for `actions` that depends on each observation alone, whatever else is in the batch: with it
   * the policy is a deterministic function of the observation.
   *
   * @param observations `[B * O]`
   * @returns `noiseShape(B * groupSize)`, flat
   */
  observationNoise(observations: ArrayLike<number>, groupSize = 1): Float32Array {
    const { observationSize, actionSize } = this.sizes;
    requireList('DdpmSampler.observationNoise', 'observations', observations);
    requireInteger('DdpmSampler.observationNoise', 'groupSize', groupSize, { min: 1 });
    const rows = observations.length / observationSize;
    const [steps, total] = this.noiseShape(rows * groupSize);
    const block = groupSize * actionSize;
    const noise = new Float32Array(steps * total * actionSize);
    for (let row = 0; row < rows; row++) {
      const observation = Float32Array.from(
        { length: observationSize },
        (_, i) => observations[row * observationSize + i]!,
      );
      const own = Rng.fromSeed(0)
        .split(`${new Uint32Array(observation.buffer)}`)
        .normals(steps * block);
      for (let k = 0; k < steps; k++) noise.set(own.subarray(k * block, (k + 1) * block), (k * rows + row) * block);
    }
    return noise;
  }
}

/** @param options.variances of the learned kernels, in noising order like the steps of `predictNoise` */
function ddpmKernels(
  { steps, betas, alphas, alphaBars }: NoiseSchedule,
  options: { predictNoise: BoundNetwork; limit: number; actionSize: number; variances: readonly number[] },
): TransitionKernels {
  const { predictNoise, limit, actionSize, variances } = options;
  const generation = <T>(value: (i: number) => T) => Array.from({ length: steps }, (_, k) => value(steps - 1 - k));
  const at = (value: (i: number) => number) => entriesOf(generation(value));
  const kept = (i: number) => (i < 0 ? 1 : (alphaBars[i] as number));
  const perState = at((i) => Math.sqrt(1 / kept(i)));
  const perNoise = at((i) => Math.sqrt(1 / kept(i) - 1));
  const ofClean = at((i) => ((betas[i] as number) * Math.sqrt(kept(i - 1))) / (1 - kept(i)));
  const ofState = at((i) => ((1 - kept(i - 1)) * Math.sqrt(alphas[i] as number)) / (1 - kept(i)));
  const decay = at((i) => Math.sqrt(alphas[i] as number));
  const gain = at((i) => (betas[i] as number) / 2);
  const std = (variances: readonly number[]) =>
    rowsOf(tf.tensor2d(generation((i) => new Array<number>(actionSize).fill(Math.sqrt(variances[i] as number)))));
  return {
    steps,
    forwardMean(x, step) {
      const i = typeof step === 'number' ? steps - 1 - step : (tf.sub(steps - 1, step) as tf.Tensor1D);
      const clean: tf.Tensor2D = tf.sub(tf.mul(x, perState(step)), tf.mul(predictNoise(x, i), perNoise(step)));
      const clipped: tf.Tensor2D = limit === Infinity ? clean : tf.clipByValue(clean, -limit, limit);
      return i === 0 ? clipped : tf.add(tf.mul(clipped, ofClean(step)), tf.mul(x, ofState(step)));
    },
    backwardMean(next, step, control) {
      const decayed: tf.Tensor2D = tf.mul(next, decay(step));
      return control ? tf.add(decayed, tf.mul(control, gain(step))) : decayed;
    },
    std: std(variances),
    backwardStd: std(betas),
  };
}

function checkedOptions(where: string, options: DdpmOptions, table: typeof ddpmOptions) {
  const given = readOptions(where, options, table);
  const { network = mishNetwork({ hidden: given.hidden, scale: 0.25, closed: false }), limit } = given;
  const schedule = chosenSchedule(where, given, () => cosineSchedule({ steps: given.steps ?? 20 }));
  const startStd = given.startStd ?? Math.sqrt(1 - (schedule.alphaBars[schedule.steps - 1] as number));
  return { schedule, startStd, limit, network };
}

/**
 * The noise network of Diffusion-QL and of what came after it: Mish, a step embedding of sinusoids.
 *
 * @param options.hidden widths, default 3 x 256
 * @param options.scale factor on the sinusoids, default 1; SDAC's released code has 1/4
 * @param options.closed whether their last frequency is 1/10000 itself, default `true`; not so in SDAC's and DACER's codes
 * @param options.sinusoids how many, and the width of the embedding, default 16; DIPO and QVPO have 32
 * @param options.timeHidden width of the embedding's hidden layer, default 32; DIPO and QVPO have 256
 * @param options.times what the sinusoids are of, `[N]`, from steps `[N]`; default: the steps
 */
export function mishNetwork({
  hidden,
  scale = 1,
  closed = true,
  sinusoids = 16,
  timeHidden = 32,
  times = (steps) => steps,
}: {
  hidden?: readonly number[];
  scale?: number;
  closed?: boolean;
  sinusoids?: number;
  timeHidden?: number;
  times?: (steps: tf.Tensor1D) => tf.Tensor1D;
} = {}): NetworkFactory {
  const features = sinusoidalFeatures(sinusoids, scale, closed);
  return (rng, sizes) =>
    new TimeConditionedMlp(rng, {
      ...sizes,
      hidden,
      activation: mish,
      timeFeatures: { ...features, apply: (steps) => features.apply(times(steps)) },
      timeHidden,
      timeSize: sinusoids,
      lastKernel: 'normal',
    });
}
