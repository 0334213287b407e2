import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { ArgumentError, requireNumber, show } from '../errors.js';
import { group, number, type Option, option } from '../options.js';
import type { StateDict, Stateful } from '../state.js';
import { noteGradients } from './gradientWatch.js';
import { disposeVariables, prepareVariables, readVariables, type Variables } from './variables.js';

/** A rate, or a traceable function from the number of steps taken so far (a scalar tensor) to the rate. */
export type LearningRate = number | ((step: tf.Scalar) => tf.Scalar);

/** A change made to every gradient before the optimiser sees it. */
export type GradientTransform = (gradient: tf.Tensor) => tf.Tensor;

export interface AdamOptions {
  /** Default 3e-4. */
  learningRate?: LearningRate;
  /** Decay of the first moment, in [0, 1); default 0.9. */
  beta1?: number;
  /** Decay of the second moment, in [0, 1); default 0.999. */
  beta2?: number;
  /** Added to the root of the second moment; default 1e-8. */
  epsilon?: number;
  /** Default: gradients are used as they are. */
  transform?: GradientTransform;
  /**
   * Clips updates as AdaFactor (Shazeer & Stern 2018) and StableAdamW (Wortsman et al. 2023) do, both at 1: a variable's
   * update is divided by $\max(1, \mathrm{RMS}(g/\sqrt{\hat v})/c)$, c > 0. Adam alone turns gradients that are suddenly many
   * times those before them into steps of up to $(1 - \beta_1)/\sqrt{1 - \beta_2}$ learning rates, 16 at 0.5 and 0.999,
   * whether the gradients were clipped or not. Default `false`: no clipping.
   */
  updateClip?: number | false;
}

/**
 * Adam (Kingma & Ba 2015) over named variables. All state is in tensors and every step is traceable, so a compiled
 * update holds the optimiser too.
 *
 * @example
 * ```ts
 * const adam = new Adam(network.variables, { learningRate: 3e-4, transform: clipGradient(1) });
 * const { gradients } = lossAndGradients(network.variables, () => ({ loss: tf.mean(network.apply(x)) }));
 * adam.apply(gradients);
 * ```
 */
export class Adam implements Stateful {
  private readonly learningRate: LearningRate;
  private readonly beta1: number;
  private readonly beta2: number;
  private readonly epsilon: number;
  private readonly transform: GradientTransform;
  private readonly updateClip: number | false;
  /** The moments and the number of steps taken. */
  readonly slots: Variables;

  /** @throws ArgumentError for a rate, decay or epsilon out of range */
  constructor(
    private readonly parameters: Variables,
    {
      learningRate = 3e-4,
      beta1 = 0.9,
      beta2 = 0.999,
      epsilon = 1e-8,
      transform = (gradient) => gradient,
      updateClip = false,
    }: AdamOptions = {},
  ) {
    this.learningRate = requireRate('Adam', 'learningRate', learningRate);
    this.beta1 = requireNumber('Adam', 'beta1', beta1, { min: 0, below: 1 });
    this.beta2 = requireNumber('Adam', 'beta2', beta2, { min: 0, below: 1 });
    this.epsilon = requireNumber('Adam', 'epsilon', epsilon, { min: 0 });
    this.transform = transform;
    this.updateClip = requireClip('Adam', 'updateClip', updateClip);
    const zeros = (shape: number[]) => tf.tidy(() => tf.variable(tf.zeros(shape), false));
    this.slots = { step: zeros([]) };
    for (const [name, variable] of Object.entries(parameters)) {
      this.slots[`first/${name}`] = zeros(variable.shape);
      this.slots[`second/${name}`] = zeros(variable.shape);
    }
  }

  /** One step down `gradients`, which are named like the variables. */
  apply(gradients: Record<string, tf.Tensor>): void {
    noteGradients(Object.values(gradients));
    tf.tidy(() => {
      const counter = this.slots.step as tf.Variable;
      const rate =
        typeof this.learningRate === 'number' ? this.learningRate : this.learningRate(tf.clone(counter) as tf.Scalar);
      if (typeof rate !== 'number') noteGradients([rate]);
      const step = tf.add(counter, 1);
      counter.assign(step);
      // The bias corrections as scalars, which saves passes over the parameters (Kingma & Ba, end of section 2).
      const secondRoot = tf.sqrt(tf.sub(1, tf.pow(this.beta2, step)));
      const scale = tf.div(tf.mul(rate, secondRoot), tf.sub(1, tf.pow(this.beta1, step)));
      const epsilon = tf.mul(secondRoot, this.epsilon);
      for (const [name, variable] of Object.entries(this.parameters)) {
        const gradient = this.transform(gradients[name] as tf.Tensor);
        const first = this.average(`first/${name}`, gradient, this.beta1);
        const second = this.average(`second/${name}`, tf.square(gradient), this.beta2);
        const update = tf.div(tf.mul(first, scale), tf.add(tf.sqrt(second), epsilon));
        variable.assign(tf.sub(variable, this.clipped(update, gradient, tf.div(second, tf.square(secondRoot)))));
      }
    });
  }

  /** `update` after {@link AdamOptions.updateClip}, given the second moment without bias. */
  private clipped(update: tf.Tensor, gradient: tf.Tensor, second: tf.Tensor): tf.Tensor {
    if (!this.updateClip) return update;
    const ratio = tf.sqrt(tf.mean(tf.div(tf.square(gradient), tf.add(second, TINY))));
    return tf.div(update, tf.maximum(tf.div(ratio, this.updateClip), 1));
  }

  private average(slot: string, value: tf.Tensor, decay: number): tf.Tensor {
    const variable = this.slots[slot] as tf.Variable;
    const average = tf.add(tf.mul(variable, decay), tf.mul(value, 1 - decay));
    variable.assign(average);
    return average;
  }

  state(): Promise<StateDict> {
    return readVariables(this.slots);
  }

  prepare(state: StateDict): () => void {
    return prepareVariables(this.slots, state);
  }

  dispose(): void {
    disposeVariables(this.slots);
  }
}

/** Keeps the ratio of two squares that vanish together finite. */
const TINY = 1e-16;

function requireClip(where: string, name: string, value: unknown): number | false {
  return value === false ? value : requireNumber(where, name, value, { above: 0 });
}

/** @throws ArgumentError unless `rate` is a number >= 0 or a function */
export function requireRate(where: string, name: string, rate: unknown): LearningRate {
  if (typeof rate === 'function') return rate as LearningRate;
  if (typeof rate === 'number') return requireNumber(where, name, rate, { min: 0 });
  throw new ArgumentError(
    `${where}: ${name} must be a number >= 0 or a function of the step such as linearDecay(...), got ${show(rate)}.`,
  );
}

/** The learning rate as an option. */
export function learningRateOption(initial: LearningRate, doc: string): Option<LearningRate> {
  const defaultText = typeof initial === 'number' ? `${initial}` : 'a schedule';
  const allowed = 'number >= 0 | function of the step, such as linearDecay(...)';
  return option<LearningRate>({ doc, allowed, initial: () => initial, defaultText, check: requireRate });
}

/** How {@link Adam} works, as an option of an agent; the learning rate is one of its own. */
export function adamOption(initial: Omit<AdamOptions, 'learningRate'>, doc: string) {
  return group(
    {
      beta1: number(initial.beta1 ?? 0.9, { min: 0, below: 1 }, 'Decay of the first moment.'),
      beta2: number(initial.beta2 ?? 0.999, { min: 0, below: 1 }, 'Decay of the second moment.'),
      epsilon: number(initial.epsilon ?? 1e-8, { min: 0 }, 'Added to the root of the second moment.'),
      updateClip: option<number | false>({
        doc: "Clips each variable's update where its gradient is so many times those before it; false: no clipping.",
        allowed: 'number > 0 | false',
        initial: initial.updateClip ?? false,
        check: requireClip,
      }),
      transform: option<GradientTransform>({
        doc: 'A change made to every gradient before, such as clipGradient(1).',
        allowed: 'function of a tensor',
        initial: initial.transform && (() => initial.transform as GradientTransform),
        defaultText: initial.transform ? 'clipGradient(1)' : 'none',
        check: (where, name, value) => {
          if (typeof value === 'function') return value as GradientTransform;
          throw new ArgumentError(`${where}: ${name} must be a function such as clipGradient(1), got ${show(value)}.`);
        },
      }),
    },
    doc,
  );
}

/** Replaces NaN by 0, then clips every entry to [-limit, limit]. */
export function clipGradient(limit: number): GradientTransform {
  requireNumber('clipGradient', 'limit', limit, { above: 0 });
  const clip: GradientTransform = (gradient) =>
    tf.clipByValue(tf.where(tf.isNaN(gradient), tf.zerosLike(gradient), gradient), -limit, limit);
  return described(clip, clipGradient, { limit });
}
