import * as tf from '@tensorflow/tfjs-core';
import type { DiffusionSampler } from '../diffusion/diffusionSampler.js';
import { requireInteger, requireNumber, requireOneOf } from '../errors.js';
import { type KlMode, type Moments, stepKl, trustRegionLoss } from '../objectives/chainKl.js';
import { Temperature } from '../objectives/temperature.js';
import { moveTowards } from '../ops/ema.js';
import { variablesAsState } from '../ops/variables.js';
import { type Commit, type MaybePromise, type StateDict, type Stateful, together } from '../state.js';

export interface TrustRegionOptions {
  /** What happens to a transition outside the region, default `'switch'`; see {@link KlMode}. */
  mode?: KlMode;
  /** Largest KL divergence of the chains, in nats, default 0.02. */
  bound?: number;
  /** Updates between copies of the policy that the region is around, default 10. */
  period?: number;
  /** Weight of the KL at the start, default 0.3. */
  multiplier?: number;
  /** Of Adam on the logarithm of the weight, which rises while the mean KL is above the bound; default 6e-4, 0 fixes it. */
  multiplierLearningRate?: number;
}

/** Keeps a policy near a copy of itself that is renewed now and then. */
export class TrustRegion implements Stateful {
  private readonly anchor: DiffusionSampler;
  private readonly multiplier: Temperature;
  private readonly mode: KlMode;
  private readonly bound: number;
  private readonly period: number;
  private readonly parts: Stateful;

  /** @throws ArgumentError for values out of range */
  constructor(
    private readonly sampler: DiffusionSampler,
    { mode = 'switch', bound = 0.02, period = 10, multiplier = 0.3, multiplierLearningRate = 6e-4 }: TrustRegionOptions,
  ) {
    this.mode = requireOneOf('TrustRegion', 'mode', mode, ['switch', 'sum']);
    this.bound = requireNumber('TrustRegion', 'bound', bound, { above: 0 });
    this.period = requireInteger('TrustRegion', 'period', period, { min: 1 });
    this.multiplier = new Temperature({ initial: multiplier, learningRate: multiplierLearningRate });
    this.anchor = sampler.twin();
    this.parts = together({ anchor: variablesAsState(this.anchor.variables), multiplier: this.multiplier });
  }

  /** The anchor's kernel moments at rows x; constants. Traceable, call it outside of the loss. */
  moments(observations: tf.Tensor2D, x: tf.Tensor2D, step: tf.Tensor1D): Moments {
    const kernels = this.anchor.bind(observations);
    return { mean: kernels.forwardMean(x, step), std: kernels.std(step) };
  }

  /** The batch's loss within the region, and its mean chain KL. Traceable. */
  loss(rows: tf.Tensor1D, old: Moments, current: Moments): { loss: tf.Scalar; chainKl: tf.Scalar } {
    const kl: tf.Tensor1D = tf.mul(stepKl(old, current), this.sampler.schedule.steps);
    const options = { mode: this.mode, bound: this.bound, multiplier: this.multiplier.value() };
    return { loss: trustRegionLoss(rows, kl, options), chainKl: tf.mean(kl) };
  }

  /** Moves the multiplier by a batch's mean chain KL. Traceable. */
  step(chainKl: tf.Scalar): void {
    this.multiplier.step(chainKl, this.bound);
  }

  /** Renews the copy when `updates` is a multiple of the period. */
  renew(updates: number): void {
    if (updates % this.period === 0) moveTowards(this.anchor.variables, this.sampler.variables, 1);
  }

  state(): MaybePromise<StateDict> {
    return this.parts.state();
  }

  prepare(state: StateDict): MaybePromise<Commit> {
    return this.parts.prepare(state);
  }

  dispose(): void {
    this.anchor.dispose();
    this.multiplier.dispose();
  }
}
