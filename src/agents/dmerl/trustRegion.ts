import * as tf from '@tensorflow/tfjs-core';
import type { DiffusionSampler } from '../../diffusion/diffusionSampler.js';
import { type Moments, stepKl, trustRegionLoss } from '../../objectives/chainKl.js';
import { Temperature } from '../../objectives/temperature.js';
import { moveTowards } from '../../ops/ema.js';
import { variablesAsState } from '../../ops/variables.js';
import { type GivenOptions, integer, number, type OptionValues, oneOf, option, readOptions } from '../../options.js';
import { type Commit, type MaybePromise, type StateDict, type Stateful, together } from '../../state.js';

export const trustRegionOptions = {
  mode: oneOf(['switch', 'sum'], 'switch', 'What happens to a transition outside the region; see KlMode.'),
  bound: number(0.02, { above: 0 }, 'Largest KL divergence of the chains, in nats.'),
  period: integer(10, { min: 1 }, 'Updates between copies of the policy that the region is around.'),
  multiplier: number(0.3, { above: 0 }, 'Weight of the KL at the start.'),
  multiplierLearningRate: number(
    6e-4,
    { min: 0 },
    "Of Adam on the weight's logarithm, which rises while the mean KL is above the bound; 0 fixes it.",
  ),
};

export type TrustRegionOptions = GivenOptions<typeof trustRegionOptions>;

/** The trust region as an option of an agent. */
export const trustRegionOption = option<TrustRegionOptions | false>({
  doc: 'Options of a trust region around the policy of some updates ago, or none.',
  allowed: 'object of options | false',
  initial: false,
  check: (where, name, value) =>
    value === false ? value : readOptions(`${where}: ${name}`, value as TrustRegionOptions, trustRegionOptions),
});

/** Keeps a policy near a copy of itself that is renewed now and then. */
export class TrustRegion implements Stateful {
  private readonly anchor: DiffusionSampler;
  private readonly multiplier: Temperature;
  private readonly options: OptionValues<typeof trustRegionOptions>;
  private readonly parts: Stateful;

  /** @throws ArgumentError for values out of range */
  constructor(
    private readonly sampler: DiffusionSampler,
    options: TrustRegionOptions,
  ) {
    this.options = readOptions('TrustRegion', options, trustRegionOptions);
    const { multiplier: initial, multiplierLearningRate: learningRate } = this.options;
    this.multiplier = new Temperature({ initial, learningRate });
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
    const options = { ...this.options, multiplier: this.multiplier.value() };
    return { loss: trustRegionLoss(rows, kl, options), chainKl: tf.mean(kl) };
  }

  /** Moves the multiplier by a batch's mean chain KL. Traceable. */
  step(chainKl: tf.Scalar): void {
    this.multiplier.step(chainKl, this.options.bound);
  }

  /** Whether the copy is renewed after so many updates. */
  isDue(updates: number): boolean {
    return updates % this.options.period === 0;
  }

  /** Renews the copy. Traceable. */
  renew(): void {
    moveTowards(this.anchor.variables, this.sampler.variables, 1);
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
