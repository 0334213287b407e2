import * as tf from '@tensorflow/tfjs-core';
import { requireNumber, requireShape } from '../errors.js';
import { Adam } from '../ops/adam.js';
import { disposeVariables, prepareVariables, readVariables, type Variables } from '../ops/variables.js';
import { requireOptions } from '../options.js';
import { prefixed, type StateDict, type Stateful, substate } from '../state.js';

export interface TemperatureOptions {
  /** Value at the start, > 0, default 1. */
  initial?: number;
  /** Of Adam on the logarithm, default 1e-3; 0 keeps the temperature fixed. */
  learningRate?: number;
  /** Decay of Adam's first moment, default 0.9. */
  beta1?: number;
}

/**
 * The weight of the entropy, $\alpha = e^{\log\alpha}$, tuned so that a cost of the policy (run cost, or minus the
 * entropy) meets a target: the loss is $-\alpha\,(\text{cost} - \text{target})$, so too deterministic a policy raises it.
 */
export class Temperature implements Stateful {
  readonly variables: Variables;
  private readonly adam?: Adam;

  /** @throws ArgumentError unless initial > 0 and learningRate >= 0 */
  constructor(options: TemperatureOptions = {}) {
    const {
      initial = 1,
      learningRate = 1e-3,
      beta1,
    } = requireOptions('Temperature', options, { initial: true, learningRate: true, beta1: true });
    requireNumber('Temperature', 'initial', initial, { above: 0 });
    requireNumber('Temperature', 'learningRate', learningRate, { min: 0 });
    this.variables = { log: tf.tidy(() => tf.variable(tf.scalar(Math.log(initial)))) };
    if (learningRate > 0) this.adam = new Adam(this.variables, { learningRate, beta1 });
  }

  /** The temperature now, without gradient. */
  value(): tf.Scalar {
    return tf.exp(this.variables.log as tf.Scalar);
  }

  /**
   * One step from the mean cost of a batch; does nothing for a fixed temperature. Traceable.
   *
   * @throws ShapeError, ArgumentError unless they are a scalar and a number; then nothing has changed
   */
  step(cost: tf.Scalar, target: number): void {
    requireShape('Temperature.step', 'cost', cost, []);
    requireNumber('Temperature.step', 'target', target);
    if (!this.adam) return;
    this.adam.apply({ log: tf.mul(tf.neg(this.value()), tf.sub(cost, target)) });
  }

  async state(): Promise<StateDict> {
    return { ...(await readVariables(this.variables)), ...(this.adam && prefixed('adam', await this.adam.state())) };
  }

  prepare(state: StateDict): () => void {
    const commit = this.adam?.prepare(substate(state, 'adam'));
    const assign = prepareVariables(this.variables, state, this.adam && ['adam']);
    return () => {
      commit?.();
      assign();
    };
  }

  dispose(): void {
    disposeVariables(this.variables);
    this.adam?.dispose();
  }
}
