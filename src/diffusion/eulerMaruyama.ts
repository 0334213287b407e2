import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, requireNumber, requireShape } from '../errors.js';
import { ScoreNetwork, type StepNetwork } from '../networks/scoreNetwork.js';
import { logNormalOfNoise } from '../ops/gaussian.js';
import { softplusInverse } from '../ops/softplus.js';
import { stopGradient } from '../ops/stopGradient.js';
import { prefixVariables, type Variables } from '../ops/variables.js';
import type { Rng } from '../rng/rng.js';
import { dimeCosineSchedule } from '../schedules/dimeCosine.js';
import type { NoiseSchedule } from '../schedules/schedule.js';
import { type Kernels, logBackwardDensities, logForwardDensities, runChain } from './chain.js';
import type { Divergence } from './divergences.js';
import { completePath, type DiffusionPath } from './path.js';
import { repeatRows } from './repeatRows.js';
import { type SampleOptions, Sampler, type SamplerSizes } from './sampler.js';
import { type Squash, tanhSquash } from './squash.js';

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
  /** Whether the step size and its per-dimension divisor ("friction") are trained, default `true`. */
  learnDiffusion?: boolean;
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
 * **Subclass requirements.** Besides those of {@link Sampler}: `bind` returns the kernels for a batch of observations.
 * Override it to change the kernels, as {@link GeneralBridgeSampler} does; override `createVariables` to add networks
 * (and return what `super` returned too).
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
  protected readonly squash: Squash;
  protected readonly createNetwork: NetworkFactory;
  private readonly initialStepSize: number;
  private readonly learnDiffusion: boolean;
  private control!: StepNetwork;
  private coefficients!: { stepSize: tf.Variable; friction: tf.Variable };

  /** @throws ArgumentError for steps below 1, a prior or step size that is not positive, or both steps and schedule */
  constructor(options: EulerMaruyamaOptions = {}) {
    super(options.divergence);
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

  protected createVariables(rng: Rng, sizes: SamplerSizes): Variables {
    this.control = this.createNetwork(rng.split('control'), sizes);
    const raw = (shape: number[], value: number) =>
      tf.tidy(() => tf.variable(tf.fill(shape, softplusInverse(value)), this.learnDiffusion));
    this.coefficients = { stepSize: raw([1], this.initialStepSize), friction: raw([sizes.actionSize], 1) };
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

  actions(observations: tf.Tensor2D, noise: tf.Tensor): tf.Tensor2D {
    this.checkedRows(observations, noise, 1);
    const [priorNoise, ...stepNoise] = tf.unstack(noise) as tf.Tensor2D[];
    const start: tf.Tensor2D = tf.mul(priorNoise as tf.Tensor2D, this.priorStd);
    const { states } = runChain(this.bind(observations, true), start, stepNoise);
    return this.squash.apply(states[this.schedule.steps] as tf.Tensor2D);
  }

  /** The kernels for `observations`; without gradient for the diffusion coefficient if `trainDiffusion` is `false`. */
  protected bind(observations: tf.Tensor2D, trainDiffusion: boolean): Kernels {
    const etas = this.etas(trainDiffusion);
    const stds = etas.map((eta) => tf.sqrt(tf.mul(eta, 2)));
    const control = this.control.bind(observations, this.schedule.steps);
    const eta = (step: number) => etas[step] as tf.Tensor1D;
    return {
      steps: this.schedule.steps,
      forwardMean: (x, k) => tf.add(x, tf.mul(eta(k), tf.add(this.drift(x), control(x, k)))),
      backwardMean: (next, k) => tf.add(next, tf.mul(eta(k), this.drift(next))),
      std: (k) => stds[k] as tf.Tensor1D,
    };
  }

  /** $\nabla\log p(x) = -x/\sigma_0^2$, the drift that keeps the prior stationary. */
  protected drift(x: tf.Tensor2D): tf.Tensor2D {
    return tf.mul(x, -1 / this.priorStd ** 2);
  }

  /** $\eta_k$ for every step, `[A]` each. */
  protected etas(trainDiffusion: boolean): tf.Tensor1D[] {
    const { stepSize, friction } = this.coefficients;
    const learned = tf.div(tf.softplus(stepSize), tf.softplus(friction)) as tf.Tensor1D;
    const base = trainDiffusion ? learned : stopGradient(learned);
    return this.schedule.stepSizes.map((size) => tf.mul(base, size));
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
