import * as tf from '@tensorflow/tfjs-core';
import { type NoiseLevels, noiseLevels, removeNoise } from '../diffusion/noising.js';
import { requireOneOf, requireShape } from '../errors.js';
import { truncatedNormal } from '../ops/truncatedNormal.js';
import type { NoiseSchedule } from '../schedules/schedule.js';
import { denoisingScoreMatchingLoss } from './denoising.js';

/** Noised points and the noise that reverse samples are made of. */
export interface ReverseSamplingInputs {
  /** `[B, A]`, drawn from anything that covers the target: RSSM does not ask where they come from. */
  noised: tf.Tensor2D;
  /** `[B]`, the noise level of each, 0 ... K - 1 in noising order. */
  step: tf.Tensor1D;
  /** `[B, A, N]` for N reverse samples each: uniform on (0, 1) for `'truncated'`, standard normal for `'clip'`. */
  noise: tf.Tensor3D;
}

export interface ReverseSamplingOptions {
  /** Of the noise in the points. */
  schedule: NoiseSchedule;
  /** Unnormalised log-density of the target at clean points `[B * N, A]`, those of one row together; to `[B * N]`. */
  logWeight: (clean: tf.Tensor2D) => tf.Tensor1D;
  /**
   * `'truncated'` (default) draws the clean point from its Gaussian cut to the box [-limit, limit]; exact for a target
   * on the box. `'clip'` draws it from the whole Gaussian and moves it to the box (`limit: Infinity` leaves it), as the
   * released code does: for most noise levels that compares corners of the box, and the target is biased.
   */
  proposal?: 'truncated' | 'clip';
  /** `'softmax'` (default): weights sum to 1 in every row; `'raw'`: the exponential itself over N, as in the paper. */
  weights?: 'softmax' | 'raw';
  /** Half the side of the box around 0 that the target lives in, default 1. */
  limit?: number;
}

/** What the network's noise prediction is regressed on; nothing carries a gradient. */
export interface ReverseSamplingTarget {
  /** `[B, A]`: the weighted mean of the reverse samples' noise, $-\sqrt{1 - \bar\alpha_i}$ times the target's score. */
  noise: tf.Tensor2D;
  /** `[B]`: the sum of the row's weights, 1 for softmax. */
  weights: tf.Tensor1D;
  /** Effective sample size of a row's weights, 1 ... N, averaged. Near 1 the target is one sample's noise. */
  effectiveSampleSize: tf.Scalar;
  /** Share of reverse samples that had to be moved to the box. */
  clippedShare: tf.Scalar;
}

/**
 * Estimates the score of a noised target $p_i(x) = \int p(x_0)\,q_i(x \mid x_0)\,dx_0$ from its unnormalised density alone
 * (reverse sampling: Ma et al. 2025; Akhound-Sadegh et al. 2024). Given x, clean points are drawn from
 * $N\big(x/\sqrt{\bar\alpha_i},\ (1 - \bar\alpha_i)/\bar\alpha_i\,I\big)$; weighted with p, the noise that leads from them to x has the mean
 * $-\sqrt{1 - \bar\alpha_i}\,\nabla\log p_i(x)$. Traceable.
 *
 * @throws ShapeError if the inputs do not fit each other, ArgumentError for an unknown proposal or weighting
 */
export function reverseSamplingTarget(
  { noised, step, noise }: ReverseSamplingInputs,
  { schedule, logWeight, proposal = 'truncated', weights = 'softmax', limit = 1 }: ReverseSamplingOptions,
): ReverseSamplingTarget {
  requireOneOf('reverseSamplingTarget', 'proposal', proposal, ['truncated', 'clip']);
  requireOneOf('reverseSamplingTarget', 'weights', weights, ['softmax', 'raw']);
  const [rows, size] = noised.shape;
  requireShape('reverseSamplingTarget', 'noise', noise, [rows, size, null]);
  const count = noise.shape[2];

  const levels = cubeLevels(noiseLevels(schedule, step));
  const points = tf.expandDims(noised, 2) as tf.Tensor3D;
  const drawn = proposal === 'clip' ? noise : noiseInBox(points, levels, noise, limit);
  const clean = removeNoise(points, drawn, levels);
  const inBox = limit === Infinity ? clean : tf.clipByValue(clean, -limit, limit);

  const samples = tf.reshape(tf.transpose(inBox, [0, 2, 1]), [rows * count, size]) as tf.Tensor2D;
  const logWeights = tf.reshape(logWeight(samples), [rows, count]);
  const shares = tf.softmax(logWeights);
  return {
    noise: tf.sum(tf.mul(tf.expandDims(shares, 1), drawn), 2),
    weights: weights === 'raw' ? tf.mean(tf.exp(logWeights), 1) : tf.ones([rows]),
    effectiveSampleSize: tf.mean(tf.div(1, tf.sum(tf.square(shares), 1))),
    clippedShare: proposal === 'clip' ? movedShare(clean, inBox) : tf.scalar(0),
  };
}

/**
 * Reverse sampling score matching: regression of the predicted noise on {@link reverseSamplingTarget}. Averaged over N
 * reverse samples the loss is quadratic in the prediction, so one network row a point has the same gradient as N
 * (times N, which Adam does not see); only a constant is left out.
 *
 * @param predictNoise the network, noised points `[B, A]` and steps `[B]` to `[B, A]`
 * @param inputs constants: with points that depend on the network's variables call {@link reverseSamplingTarget} outside
 *   the gradient, and {@link denoisingScoreMatchingLoss} inside
 * @returns the loss (a scalar), with two diagnostics of {@link ReverseSamplingTarget}
 * @throws ShapeError if the inputs do not fit each other
 *
 * @example
 * ```ts
 * const energy = (x: tf.Tensor2D) => tf.mul(tf.sum(tf.square(x), 1), -8) as tf.Tensor1D; // any known log-density
 * const predictNoise = (x: tf.Tensor2D, step: tf.Tensor1D) => network.apply(x, nothing, step, schedule.steps);
 * const { results, gradients } = lossAndGradients(network.variables, () =>
 *   rssmLoss(predictNoise, { noised, step, noise }, { schedule, logWeight: energy }),
 * );
 * ```
 */
export function rssmLoss(
  predictNoise: (noised: tf.Tensor2D, step: tf.Tensor1D) => tf.Tensor2D,
  inputs: ReverseSamplingInputs,
  options: ReverseSamplingOptions,
): { loss: tf.Scalar; effectiveSampleSize: tf.Scalar; clippedShare: tf.Scalar } {
  const { noise, weights, effectiveSampleSize, clippedShare } = reverseSamplingTarget(inputs, options);
  const loss = denoisingScoreMatchingLoss(predictNoise(inputs.noised, inputs.step), noise, weights);
  return { loss, effectiveSampleSize, clippedShare };
}

/** Levels for `[B, A, N]` tensors. (With samples last, whatever is the same for all of a row's samples broadcasts fast.) */
function cubeLevels({ signal, noise }: NoiseLevels): NoiseLevels<tf.Tensor3D> {
  return { signal: tf.expandDims(signal, 2), noise: tf.expandDims(noise, 2) };
}

/** Noise that leads from the box to `points`, by inversion of the cut normal distribution. */
function noiseInBox(
  points: tf.Tensor3D,
  { signal, noise }: NoiseLevels<tf.Tensor3D>,
  uniform: tf.Tensor3D,
  limit: number,
): tf.Tensor3D {
  const edge = (bound: number) => tf.div(tf.sub(points, tf.mul(signal, bound)), noise);
  return truncatedNormal(edge(limit), edge(-limit), uniform) as tf.Tensor3D;
}

/** Share of the samples in `[B, A, N]` with an entry that differs. */
function movedShare(before: tf.Tensor3D, after: tf.Tensor3D): tf.Scalar {
  return tf.mean(tf.max(tf.cast(tf.notEqual(before, after), 'float32'), 1));
}
