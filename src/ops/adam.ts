import * as tf from '@tensorflow/tfjs-core';
import { requireNumber } from '../errors.js';
import type { StateDict, Stateful } from '../state.js';
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
   * Largest root mean square of a variable's update, in learning rates, > 0; larger updates are scaled down to it. Default:
   * none. A gradient that is suddenly many times those before it makes an update of up to
   * $(1 - \beta_1)/\sqrt{1 - \beta_2}$ learning rates, 16 at 0.5 and 0.999; the first updates have 1, later ones less.
   */
  maxUpdate?: number;
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
  private readonly maxUpdate?: number;
  /** The moments and the number of steps taken. */
  readonly slots: Variables;

  /** @throws ArgumentError for a rate, decay or epsilon out of range */
  constructor(
    private readonly variables: Variables,
    {
      learningRate = 3e-4,
      beta1 = 0.9,
      beta2 = 0.999,
      epsilon = 1e-8,
      transform = (gradient) => gradient,
      maxUpdate,
    }: AdamOptions = {},
  ) {
    if (typeof learningRate === 'number') requireNumber('Adam', 'learningRate', learningRate, { min: 0 });
    this.learningRate = learningRate;
    this.beta1 = requireNumber('Adam', 'beta1', beta1, { min: 0, below: 1 });
    this.beta2 = requireNumber('Adam', 'beta2', beta2, { min: 0, below: 1 });
    this.epsilon = requireNumber('Adam', 'epsilon', epsilon, { min: 0 });
    this.transform = transform;
    if (maxUpdate !== undefined) this.maxUpdate = requireNumber('Adam', 'maxUpdate', maxUpdate, { above: 0 });
    const zeros = (shape: number[]) => tf.tidy(() => tf.variable(tf.zeros(shape), false));
    this.slots = { step: zeros([]) };
    for (const [name, variable] of Object.entries(variables)) {
      this.slots[`first/${name}`] = zeros(variable.shape);
      this.slots[`second/${name}`] = zeros(variable.shape);
    }
  }

  /** One step down `gradients`, which are named like the variables. */
  apply(gradients: Record<string, tf.Tensor>): void {
    tf.tidy(() => {
      const counter = this.slots.step as tf.Variable;
      const rate =
        typeof this.learningRate === 'number' ? this.learningRate : this.learningRate(tf.clone(counter) as tf.Scalar);
      const step = tf.add(counter, 1);
      counter.assign(step);
      // The bias corrections as scalars, which saves passes over the parameters (Kingma & Ba, end of section 2).
      const secondRoot = tf.sqrt(tf.sub(1, tf.pow(this.beta2, step)));
      const scale = tf.div(tf.mul(rate, secondRoot), tf.sub(1, tf.pow(this.beta1, step)));
      const epsilon = tf.mul(secondRoot, this.epsilon);
      for (const [name, variable] of Object.entries(this.variables)) {
        const gradient = this.transform(gradients[name] as tf.Tensor);
        const first = this.average(`first/${name}`, gradient, this.beta1);
        const second = this.average(`second/${name}`, tf.square(gradient), this.beta2);
        const update = tf.div(tf.mul(first, scale), tf.add(tf.sqrt(second), epsilon));
        variable.assign(tf.sub(variable, this.bounded(update, rate)));
      }
    });
  }

  /** `update`, scaled down where its root mean square is above `maxUpdate` times `rate`. */
  private bounded(update: tf.Tensor, rate: number | tf.Scalar): tf.Tensor {
    if (this.maxUpdate === undefined) return update;
    const limit = tf.maximum(tf.mul(rate, this.maxUpdate), TINY);
    return tf.mul(update, tf.div(limit, tf.maximum(limit, tf.sqrt(tf.mean(tf.square(update))))));
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

/** Stands for a learning rate of 0 where it is divided by. */
const TINY = 1e-30;

/** Replaces NaN by 0, then clips every entry to [-limit, limit]. */
export function clipGradient(limit: number): GradientTransform {
  requireNumber('clipGradient', 'limit', limit, { above: 0 });
  return (gradient) => tf.clipByValue(tf.where(tf.isNaN(gradient), tf.zerosLike(gradient), gradient), -limit, limit);
}
