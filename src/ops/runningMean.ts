import * as tf from '@tensorflow/tfjs-core';
import { requireNumber } from '../errors.js';
import { disposeVariables } from './variables.js';

/**
 * An exponential moving average of a scalar without a start value: the first call of `track` gives back its argument. All state
 * is in variables, so that it can be part of a compiled program.
 */
export class RunningMean {
  readonly variables: { sum: tf.Variable<tf.Rank.R0>; weight: tf.Variable<tf.Rank.R0> };

  /** @param rate how far a call moves the average, in (0, 1] */
  constructor(private readonly rate: number) {
    requireNumber('RunningMean', 'rate', rate, { above: 0, max: 1 });
    const zero = () => tf.tidy(() => tf.variable(tf.scalar(0), false));
    this.variables = { sum: zero(), weight: zero() };
  }

  /** Takes in `value`; returns the average. */
  track(value: tf.Scalar): tf.Scalar {
    const { sum, weight } = this.variables;
    const newSum: tf.Scalar = tf.add(tf.mul(sum, 1 - this.rate), tf.mul(value, this.rate));
    const newWeight: tf.Scalar = tf.add(tf.mul(weight, 1 - this.rate), this.rate);
    sum.assign(newSum);
    weight.assign(newWeight);
    return tf.div(newSum, newWeight);
  }

  dispose(): void {
    disposeVariables(this.variables);
  }
}
