import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { ArgumentError, requireNumber, requireShape } from '../errors.js';
import { ScoreNetwork, type StepNetwork } from '../networks/scoreNetwork.js';
import { logNormalOfNoise } from '../ops/gaussian.js';
import { lookup } from '../ops/linear.js';
import { repeatRows } from '../ops/repeatRows.js';
import { softplusInverse } from '../ops/softplus.js';
import { stopGradient } from '../ops/stopGradient.js';
import { prefixVariables, type Variables } from '../ops/variables.js';
import type { Rng } from '../rng/rng.js';
import { dimeCosineSchedule } from '../schedules/dimeCosine.js';
import type { NoiseSchedule } from '../schedules/schedule.js';
import {
  endOfChain,
  type Kernels,
  logBackwardDensities,
  logForwardDensities,
  runChain,
  type SamplingMode,
} from './chain.js';
import type { Divergence } from './divergences.js';
import { completePath, type DiffusionPath } from './path.js';
import { type SampleOptions, Sampler, type SamplerSizes } from './sampler.js';
import { type Squash, tanhSquash } from './squash.js';
import type { StepKernels } from './stepKernels.js';

/** Makes a network for the sampler's sizes. */
export type NetworkFactory = (rng: Rng, sizes: SamplerSizes) => StepNetwork;

export interface EulerMaruyamaOptions {
  /** Diffusion steps K >= 1 of the default schedule, default 16. */
  steps?: number;
  /** Default {@link dimeCosineSchedule} with `steps`; its `stepSizes` are used. Give one or the other. */
  schedule?: NoiseSchedule;
  /** Standard deviation of the prior, default 2.5. */
  priorStd?: number;
  /** Initial factor on the schedule's step sizes, default 0.1. */
  stepSize?: number;
  /**
   * Whether the step size and its per-dimension divisor ("friction") are trained, default `true`;
   * `'perStep'` trains a step size for every step.
   */
  learnDiffusion?: boolean | 'perStep';
  /** Default {@link reverseKl}. */
  divergence?: Divergence;
  /** The control network, default {@link ScoreNetwork}. */
  network?: NetworkFactory;
  /** Default {@link tanhSquash}. */
  squash?: Squash;
}

/**
 * DIME's policy: the Euler-Maruyama discretisation of a controlled Ornstein-Uhlenbeck process, from a Gaussian prior
 * to the action in K steps.
 *
 * $F_k:\ x_{k+1} = x_k + \eta_k\,(-x_k/\sigma_0^2 + f_\theta(x_k, s, k)) + \sqrt{2\eta_k}\,\epsilon_k$ and
 * $B_k:\ x_k \sim N(x_{k+1} - \eta_k\,x_{k+1}/\sigma_0^2,\ 2\eta_k I)$, with
 * $\eta_{k,d} = \mathrm{softplus}(\tau)\,c(k)/\mathrm{softplus}(\phi_d)$ from a learned step size $\tau$, a learned friction $\phi$ and the
 * schedule's $c(k)$. A control of 0 leaves the stationary process, which is where training starts.
 *
 * **Subclass requirements.** Besides those of {@link Sampler}: `bind` (all steps of a chain) and `kernelsAt` (a step
 * number a row) give the same kernels. Override both to change them, as {@link GeneralBridgeSampler} does, or `move` and
 * `stdOf` for another discretisation, as {@link OrnsteinUhlenbeckSampler} does; override `createVariables` to add
 * networks (and return what `super` returned too).
 *
 * @example
 * ```ts
 * const sampler = new EulerMaruyamaSampler({ steps: 16 }).build(Rng.fromSeed(0), { observationSize: 3, actionSize: 2 });
 * const noise = tf.tensor(rng.normals(17 * 5 * 2), sampler.noiseShape(5)) as tf.Tensor3D;
 * const path = sampler.sample(observations, noise);
 * entropyLowerBound(path); // [5]
 * ```
 */
export class EulerMaruyamaSampler extends Sampler {
  /** Run cost excludes the prior's constant, as in the released code: 4 a dimension is an entropy bound of -1.665. */
  readonly targetRunCost = 4;
  readonly schedule: NoiseSchedule;
  readonly priorStd: number;
  readonly squash: Squash;
  protected readonly createNetwork: NetworkFactory;
  private readonly initialStepSize: number;
  private readonly learnDiffusion: boolean | 'perStep';
  private control!: StepNetwork;
  private coefficients!: { stepSize: tf.Variable; friction: tf.Variable };

  /** @throws ArgumentError for steps below 1, a prior or step size that is not positive, or both steps and schedule */
  constructor(options: EulerMaruyamaOptions = {}) {
    super(options.divergence);
    described(this, new.target, options);
    if (options.steps !== undefined && options.schedule) {
      throw new ArgumentError('EulerMaruyamaSampler: give steps or schedule, not both; a schedule has its own steps.');
    }
    this.schedule = options.schedule ?? dimeCosineSchedule({ steps: options.steps ?? 16 });
    this.priorStd = requireNumber('EulerMaruyamaSampler', 'priorStd', options.priorStd ?? 2.5, { above: 0 });
    this.initialStepSize = requireNumber('EulerMaruyamaSampler', 'stepSize', options.stepSize ?? 0.1, { above: 0 });
    this.learnDiffusion = options.learnDiffusion ?? true;
    this.squash = options.squash ?? tanhSquash;
    this.createNetwork = options.network ?? ((rng, sizes) => new ScoreNetwork(rng, sizes));
  }

  /** Entropy of the prior in nats: what the path entropy is where the run cost is 0. */
  get priorEntropy(): number {
    return (this.sizes.actionSize / 2) * Math.log(2 * Math.PI * Math.E * this.priorStd ** 2);
  }

  protected createVariables(rng: Rng, sizes: SamplerSizes): Variables {
    this.control = this.createNetwork(rng.split('control'), sizes);
    const raw = (shape: number[], value: number) =>
      tf.tidy(() => tf.variable(tf.fill(shape, softplusInverse(value)), this.learnDiffusion !== false));
    const stepSizes = this.learnDiffusion === 'perStep' ? this.schedule.steps : 1;
    this.coefficients = { stepSize: raw([stepSizes], this.initialStepSize), friction: raw([sizes.actionSize], 1) };
    const control = prefixVariables('control', this.control.variables);
    return this.learnDiffusion ? { ...this.coefficients, ...control } : control;
  }

  /** `[K + 1, rows, A]`: the prior's noise, then that of every step. */
  noiseShape(rows: number): [number, number, number] {
    return [this.schedule.steps + 1, rows, this.sizes.actionSize];
  }

  sample(observations: tf.Tensor2D, noise: tf.Tensor, options: SampleOptions = {}): DiffusionPath {
    const { trajectory = 'pathwise', groupSize = 1, trainDiffusion = true } = options;
    const rows = this.checkedRows(observations, noise, groupSize);
    const repeated = repeatRows(observations, groupSize);
    const detached = trajectory === 'detached';
    const [priorNoise, ...stepNoise] = tf.unstack(noise) as tf.Tensor2D[];
    const kernels = this.bind(repeated, trainDiffusion);
    const rollout = runChain(kernels, tf.mul(priorNoise as tf.Tensor2D, this.priorStd), stepNoise, detached);
    const end = rollout.states[this.schedule.steps] as tf.Tensor2D;
    return completePath({
      observations: repeated,
      states: rollout.states,
      action: this.squash.apply(end),
      logForward: logForwardDensities(kernels, rollout, stepNoise, detached),
      logBackward: logBackwardDensities(kernels, rollout.states),
      logPrior: tf.reshape(logNormalOfNoise(priorNoise as tf.Tensor2D, Math.log(this.priorStd)), [rows]),
      logDet: this.squash.logDet(end),
      groupSize,
    });
  }

  /** The states of the chain without their densities, `[K + 1, B, A]`. */
  latents(observations: tf.Tensor2D, noise: tf.Tensor): tf.Tensor3D {
    this.checkedRows(observations, noise, 1);
    const [priorNoise, ...stepNoise] = tf.unstack(noise) as tf.Tensor2D[];
    const start: tf.Tensor2D = tf.mul(priorNoise as tf.Tensor2D, this.priorStd);
    return tf.stack(runChain(this.bind(observations, true), start, stepNoise).states) as tf.Tensor3D;
  }

  /** @param mode how to run the chain, default `'sde'`: as it is trained */
  actions(observations: tf.Tensor2D, noise: tf.Tensor, mode: SamplingMode = 'sde'): tf.Tensor2D {
    this.checkedRows(observations, noise, 1);
    const [priorNoise, ...stepNoise] = tf.unstack(noise) as tf.Tensor2D[];
    const start: tf.Tensor2D = tf.mul(priorNoise as tf.Tensor2D, this.priorStd);
    return this.squash.apply(endOfChain(this.bind(observations, true), start, stepNoise, mode));
  }

  /**
   * The kernels for one transition a row, each at a step of its own.
   *
   * @param step `[B]`, whole numbers in 0 ... K - 1, generation order
   * @param trainDiffusion whether the diffusion coefficient gets gradients
   */
  kernelsAt(observations: tf.Tensor2D, step: tf.Tensor1D, trainDiffusion = true): StepKernels {
    const eta: tf.Tensor2D = lookup(this.etas(trainDiffusion), step);
    const std = this.stdOf(eta);
    return {
      forwardMean: (x) => this.move(x, eta, this.control.apply(x, observations, step, this.schedule.steps)),
      backwardMean: (next) => this.move(next, eta),
      forwardStd: std,
      backwardStd: std,
    };
  }

  /** The kernels for `observations`; without gradient for the diffusion coefficient if `trainDiffusion` is `false`. */
  protected bind(observations: tf.Tensor2D, trainDiffusion: boolean): Kernels {
    const etas = tf.unstack(this.etas(trainDiffusion)) as tf.Tensor1D[];
    const stds = etas.map((eta) => this.stdOf(eta));
    const control = this.control.bind(observations, this.schedule.steps);
    return {
      steps: this.schedule.steps,
      forwardMean: (x, k) => this.move(x, etas[k] as tf.Tensor1D, control(x, k)),
      backwardMean: (next, k) => this.move(next, etas[k] as tf.Tensor1D),
      std: (k) => stds[k] as tf.Tensor1D,
    };
  }

  /** Mean after a step of size `eta` from x under the prior's drift $-x/\sigma_0^2$ and a control, 0 if left out. */
  protected move(x: tf.Tensor2D, eta: tf.Tensor, control?: tf.Tensor2D): tf.Tensor2D {
    const drift: tf.Tensor2D = tf.mul(x, -1 / this.priorStd ** 2);
    return tf.add(x, tf.mul(eta, control ? tf.add(drift, control) : drift));
  }

  /** Standard deviation of a step of size `eta`. */
  protected stdOf<T extends tf.Tensor>(eta: T): T {
    return tf.sqrt(tf.mul(eta, 2)) as T;
  }

  /** $\eta_{k,d}$, `[K, A]`. */
  protected etas(trainDiffusion: boolean): tf.Tensor2D {
    const { stepSize, friction } = this.coefficients;
    const learned = tf.div(tf.softplus(tf.reshape(stepSize, [-1, 1])), tf.softplus(friction)) as tf.Tensor2D;
    const base = trainDiffusion ? learned : stopGradient(learned);
    return tf.mul(base, tf.reshape(tf.tensor1d([...this.schedule.stepSizes]), [-1, 1]));
  }

  private checkedRows(observations: tf.Tensor2D, noise: tf.Tensor, groupSize: number): number {
    const where = `${this.constructor.name}.sample`;
    requireShape(where, 'observations', observations.shape, [null, this.sizes.observationSize]);
    const rows = observations.shape[0] * groupSize;
    requireShape(where, 'noise', noise.shape, this.noiseShape(rows));
    return rows;
  }

  override dispose(): void {
    super.dispose();
    if (!this.learnDiffusion) for (const variable of Object.values(this.coefficients)) variable.dispose();
  }
}
