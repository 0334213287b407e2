import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { ArgumentError, requireNumber, requireObject, requireShape, show } from '../errors.js';
import { group, number, type Option, option, requireOptions } from '../options.js';
import { readEntries, type StateDict, type Stateful, stateArray } from '../state.js';
import { noteGradients } from './gradientWatch.js';
import { Layout } from './layout.js';
import { assignNumbers, disposeVariables, requireVariables, type Variables } from './variables.js';

/** A rate, or a traceable function from the number of steps taken so far (a scalar tensor) to the rate. */
export type LearningRate = number | ((step: tf.Scalar) => tf.Scalar);

/** A change made to gradients, entry by entry, before the optimiser sees them. */
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
  /** AdamW's decay (Loshchilov & Hutter 2019): every step also takes this share, times the rate, off; >= 0, default 0. */
  weightDecay?: number;
}

/**
 * Adam (Kingma & Ba 2015) over named variables. All state is in tensors and every step is traceable, so a compiled
 * update holds the optimiser too. The moments of small variables are one vector, so that a step takes few operators; a
 * state has them by variable.
 *
 * @example
 * ```ts
 * const adam = new Adam(network.variables, { learningRate: 3e-4, transform: clipGradient(1) });
 * const { gradients } = lossAndGradients(network.variables, () => ({ loss: tf.mean(network.apply(x)) }));
 * adam.apply(gradients);
 * ```
 */
export class Adam implements Stateful {
  private readonly options: Required<AdamOptions>;
  /** The number of steps taken. */
  private readonly step: tf.Variable;
  private readonly groups: readonly Group[];

  /** @throws ArgumentError for a rate, decay or epsilon out of range */
  constructor(parameters: Variables, given: AdamOptions = {}) {
    const {
      learningRate = 3e-4,
      beta1 = 0.9,
      beta2 = 0.999,
      epsilon = 1e-8,
      transform = (gradient: tf.Tensor) => gradient,
      updateClip = false,
      weightDecay = 0,
    } = requireOptions('Adam', given, {
      learningRate: true,
      beta1: true,
      beta2: true,
      epsilon: true,
      transform: true,
      updateClip: true,
      weightDecay: true,
    });
    requireVariables('Adam', 'parameters', parameters);
    if (typeof transform !== 'function') {
      throw new ArgumentError(`Adam: transform must be a function such as clipGradient(1), got ${show(transform)}.`);
    }
    this.options = {
      learningRate: requireRate('Adam', 'learningRate', learningRate),
      beta1: requireNumber('Adam', 'beta1', beta1, { min: 0, below: 1 }),
      beta2: requireNumber('Adam', 'beta2', beta2, { min: 0, below: 1 }),
      epsilon: requireNumber('Adam', 'epsilon', epsilon, { min: 0 }),
      transform,
      updateClip: requireClip('Adam', 'updateClip', updateClip),
      weightDecay: requireNumber('Adam', 'weightDecay', weightDecay, { min: 0 }),
    };
    this.step = zeros([]);
    this.groups = grouped(parameters).map((variables) => {
      const layout = new Layout(variables);
      return { variables, layout, first: zeros([layout.size]), second: zeros([layout.size]) };
    });
  }

  /**
   * One step down `gradients`, which are named like the variables.
   *
   * @throws ArgumentError, ShapeError if one is missing or has another shape than its variable; then nothing has changed
   */
  apply(gradients: Record<string, tf.Tensor>): void {
    requireObject('Adam.apply', 'gradients', gradients);
    for (const [name, { shape }] of this.groups.flatMap(({ variables }) => Object.entries(variables))) {
      requireShape('Adam.apply', `gradients.${name}`, gradients[name] as tf.Tensor, shape);
    }
    tf.tidy(() => {
      const { learningRate, beta1, beta2 } = this.options;
      const rate = typeof learningRate === 'number' ? learningRate : learningRate(tf.clone(this.step) as tf.Scalar);
      if (typeof rate !== 'number') noteGradients([rate]);
      const step = tf.add(this.step, 1);
      this.step.assign(step);
      // The bias corrections as scalars, which saves passes over the parameters (Kingma & Ba, end of section 2).
      const secondRoot = tf.sqrt(tf.sub(1, tf.pow(beta2, step)));
      const scale = tf.div(tf.mul(rate, secondRoot), tf.sub(1, tf.pow(beta1, step)));
      for (const group of this.groups) {
        this.move(group, group.layout.join(gradients), scale, secondRoot, rate);
      }
    });
  }

  private move(
    group: Group,
    given: tf.Tensor1D,
    scale: tf.Tensor,
    secondRoot: tf.Tensor,
    rate: tf.Scalar | number,
  ): void {
    const { beta1, beta2, epsilon, transform, weightDecay } = this.options;
    noteGradients([given]);
    const gradient = transform(given);
    const square = tf.square(gradient);
    const first = average(group.first, gradient, beta1);
    const second = average(group.second, square, beta2);
    const direction: tf.Tensor1D = tf.div(first, tf.add(tf.sqrt(second), tf.mul(secondRoot, epsilon)));
    const scales = this.clipped(group.layout, scale, square, second, tf.square(secondRoot));
    const directions = group.layout.split(direction);
    Object.values(group.variables).forEach((variable, i) => {
      const update = tf.reshape(tf.mul(directions[i]!, scales[i]!), variable.shape);
      const whole = weightDecay ? tf.add(update, tf.mul(variable, tf.mul(rate, weightDecay))) : update;
      variable.assign(tf.sub(variable, whole));
    });
  }

  /** `scale` for every variable after {@link AdamOptions.updateClip}; the second moment is without bias over `correction`. */
  private clipped(
    layout: Layout,
    scale: tf.Tensor,
    square: tf.Tensor,
    second: tf.Tensor,
    correction: tf.Tensor,
  ): tf.Tensor[] {
    const { updateClip } = this.options;
    if (!updateClip) return new Array(layout.count).fill(scale);
    const ratios = layout.rows(tf.div(square, tf.add(second, tf.mul(correction, TINY))));
    const means = tf.mul(tf.concat(ratios.map((rows) => tf.mean(rows, 1))), correction);
    return tf.split(tf.div(scale, tf.maximum(tf.div(tf.sqrt(means), updateClip), 1)), layout.count);
  }

  async state(): Promise<StateDict> {
    const numbers = async (variable: tf.Variable) => (await variable.data()).slice() as Float32Array;
    const moments = this.groups.map(async ({ layout, first, second }) => ({
      ...layout.toState('first', await numbers(first)),
      ...layout.toState('second', await numbers(second)),
    }));
    return Object.assign({ step: stateArray(await numbers(this.step), []) }, ...(await Promise.all(moments)));
  }

  prepare(state: StateDict): () => void {
    const sizes = this.groups.map(({ layout }) => ({ ...layout.entries('first'), ...layout.entries('second') }));
    const entries = readEntries(state, Object.assign({ step: 1 }, ...sizes) as Record<string, number>);
    return () => {
      assignNumbers(this.step, entries.step!);
      for (const { layout, first, second } of this.groups) {
        assignNumbers(first, layout.fromState('first', entries));
        assignNumbers(second, layout.fromState('second', entries));
      }
    };
  }

  dispose(): void {
    disposeVariables({ step: this.step });
    for (const { first, second } of this.groups) disposeVariables({ first, second });
  }
}

/** Variables that are moved together, and their moments as vectors. */
interface Group {
  readonly variables: Variables;
  readonly layout: Layout;
  readonly first: tf.Variable;
  readonly second: tf.Variable;
}

/** Vectors of more numbers than this leave the cache between two operators. */
const LARGE = 32_768;

/** Each large variable by itself, all others together, by size. */
function grouped(parameters: Variables): Variables[] {
  const entries = Object.entries(parameters);
  const small = entries.filter(([, { size }]) => size <= LARGE).sort(([, a], [, b]) => a.size - b.size);
  const large = entries.filter(([, { size }]) => size > LARGE);
  const groups = large.map(([name, variable]) => ({ [name]: variable }));
  return small.length > 0 ? [...groups, Object.fromEntries(small)] : groups;
}

function zeros(shape: number[]): tf.Variable {
  return tf.tidy(() => tf.variable(tf.zeros(shape), false));
}

/** Moves `average` towards `value` by 1 - `decay`. */
function average(average: tf.Variable, value: tf.Tensor, decay: number): tf.Tensor {
  const next = tf.add(tf.mul(average, decay), tf.mul(value, 1 - decay));
  average.assign(next);
  return next;
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
        doc: 'A change made to gradients before, entry by entry, such as clipGradient(1).',
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
