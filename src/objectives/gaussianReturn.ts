import * as tf from '@tensorflow/tfjs-core';
import type { Heads } from '../networks/criticNetwork.js';
import { withoutGradient } from '../ops/stopGradient.js';
import { disposeVariables } from '../ops/variables.js';
import { weighRows } from '../ops/weighRows.js';

/** Where samples of a return, and their distance from the predicted mean, are cut, in standard deviations. */
const REACH = 3;
/** Keeps the weights of DSAC-T's loss finite at small deviations. */
const FLOOR = 0.1;

/** A normal distribution of returns a row. */
export interface GaussianReturn {
  /** `[B]` */
  mean: tf.Tensor1D;
  /** `[B]`, above 0 */
  std: tf.Tensor1D;
}

/** Heads of two numbers as normal distributions of the return, the critics of DSAC and DACER: the mean, and the deviation by softplus. */
export function gaussianReturns(heads: Heads): [GaussianReturn, GaussianReturn] {
  return heads.map((head) => {
    const [mean, raw] = tf.split(head, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
    return { mean: tf.reshape(mean, [-1]), std: tf.softplus(tf.reshape(raw, [-1])) };
  }) as [GaussianReturn, GaussianReturn];
}

/** What a distribution of returns is trained towards; `[B]` each, constants. */
export interface ReturnTarget {
  /** Expected return. */
  mean: tf.Tensor1D;
  /** One draw of the return. */
  sample: tf.Tensor1D;
}

/**
 * Of two distributions the one of smaller mean, row by row, as its mean and one draw.
 *
 * @param noise `[2, B]`, standard normal, one row a distribution; cut at 3
 */
export function smallerReturn(
  [first, second]: readonly [GaussianReturn, GaussianReturn],
  noise: tf.Tensor2D,
): ReturnTarget {
  const [z1, z2] = tf.unstack(tf.clipByValue(noise, -REACH, REACH)) as [tf.Tensor1D, tf.Tensor1D];
  const sample = ({ mean, std }: GaussianReturn, z: tf.Tensor1D): tf.Tensor1D => tf.add(mean, tf.mul(std, z));
  return {
    mean: tf.minimum(first.mean, second.mean),
    sample: tf.where(tf.less(first.mean, second.mean), sample(first, z1), sample(second, z2)),
  };
}

/**
 * The loss of DSAC-T (Duan et al. 2025, "Distributional Soft Actor-Critic With Three Refinements", section IV): the
 * Gaussian likelihood's gradient, with the mean drawn to the target's mean, the deviation to the distance of its draw cut at
 * three `spread`, and the whole in units of the variance:
 * $-(m^2 + \varepsilon)\,\mathrm{mean}\big[\tfrac{y - \bar Q}{\bar\sigma^2 + \varepsilon} Q +
 * \tfrac{(\bar Q - y_b)^2 - \bar\sigma^2}{\bar\sigma^3 + \varepsilon} \sigma\big]$, bars without gradient, $\varepsilon = 0.1$.
 *
 * @param spread m, the running mean of `predicted.std`, a constant
 * @param weights how much each row counts in the gradients, `[B]`; left out: 1
 */
export function gaussianReturnLoss(
  predicted: GaussianReturn,
  target: ReturnTarget,
  spread: tf.Scalar,
  weights?: tf.Tensor1D,
): tf.Scalar {
  const mean = weighRows(predicted.mean, weights);
  const std = weighRows(predicted.std, weights);
  const pull = (m: tf.Tensor, s: tf.Tensor) => tf.div(tf.sub(target.mean, m), tf.add(tf.square(s), FLOOR));
  const widening = (m: tf.Tensor, s: tf.Tensor) => {
    const limit = tf.mul(spread, REACH);
    const distance = tf.maximum(tf.minimum(tf.sub(target.sample, m), limit), tf.neg(limit));
    return tf.div(tf.sub(tf.square(distance), tf.square(s)), tf.add(tf.pow(s, 3), FLOOR));
  };
  const [meanGain, stdGain] = [pull, widening].map((weight) => withoutGradient(weight, mean, std));
  const gain = tf.mean<tf.Scalar>(tf.add(tf.mul(mean, meanGain!), tf.mul(std, stdGain!)));
  return tf.neg(tf.mul<tf.Scalar>(tf.add(tf.square(spread), FLOOR), gain));
}

/**
 * Running means of the mean deviations of two distributional critics, the units of {@link gaussianReturnLoss}; the first
 * values are taken as they are. All state is in variables, so that it can be part of a compiled program.
 */
export class ReturnSpreads {
  readonly variables = { means: tf.tidy(() => tf.variable(tf.tensor1d([-1, -1]), false)) };

  /** @param rate how far a call moves the means, in (0, 1] */
  constructor(private readonly rate: number) {}

  /** Takes in what the critics predict; the means then, constants. */
  track(returns: readonly [GaussianReturn, GaussianReturn]): [tf.Scalar, tf.Scalar] {
    const { means } = this.variables;
    const move = (...stds: tf.Tensor[]) => {
      const now = tf.stack(stds.map((std) => tf.mean(std))) as tf.Tensor1D;
      const moved = tf.add(tf.mul(means, 1 - this.rate), tf.mul(now, this.rate)) as tf.Tensor1D;
      return tf.where(tf.less(means, 0), now, moved);
    };
    const moved = withoutGradient(move, ...returns.map(({ std }) => std));
    means.assign(moved);
    return tf.unstack(moved) as [tf.Scalar, tf.Scalar];
  }

  dispose(): void {
    disposeVariables(this.variables);
  }
}
