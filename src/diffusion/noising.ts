import * as tf from '@tensorflow/tfjs-core';
import { lookup } from '../ops/linear.js';
import type { NoiseSchedule } from '../schedules/schedule.js';

/** How much of the clean value is left and how much noise there is, of shapes that broadcast against the values. */
export interface NoiseLevels<T extends tf.Tensor = tf.Tensor2D> {
  /** $\sqrt{\bar\alpha_i}$ */
  readonly signal: T;
  /** $\sqrt{1 - \bar\alpha_i}$ */
  readonly noise: T;
}

/**
 * The levels of `schedule` at one step a row, `[B, 1]` each.
 *
 * @param step `[B]`, each in 0 ... K - 1, noising order: 0 is next to the data
 */
export function noiseLevels(schedule: NoiseSchedule, step: tf.Tensor1D): NoiseLevels {
  const column = (values: number[]) => lookup(tf.tensor2d(values, [schedule.steps, 1]), step);
  return {
    signal: column(schedule.alphaBars.map((bar) => Math.sqrt(bar))),
    noise: column(schedule.alphaBars.map((bar) => Math.sqrt(1 - bar))),
  };
}

/** $\sqrt{\bar\alpha_i}\,x + \sqrt{1 - \bar\alpha_i}\,\epsilon$: clean values `[B, A]` with noise `[B, A]` added. */
export function addNoise<T extends tf.Tensor>(clean: T, noise: T, levels: NoiseLevels<T>): T {
  return tf.add(tf.mul(levels.signal, clean), tf.mul(levels.noise, noise));
}

/** The clean values that `noise` was added to. */
export function removeNoise<T extends tf.Tensor>(noised: T, noise: T, levels: NoiseLevels<T>): T {
  return tf.div(tf.sub(noised, tf.mul(levels.noise, noise)), levels.signal);
}

/** The score $\nabla\log p_i(x) = -\epsilon(x)/\sqrt{1 - \bar\alpha_i}$ that a prediction of the noise stands for. */
export function scoreFromNoise<T extends tf.Tensor>(noise: T, levels: NoiseLevels<T>): T {
  return tf.neg(tf.div(noise, levels.noise)) as T;
}

/** The inverse of {@link scoreFromNoise}. */
export function noiseFromScore<T extends tf.Tensor>(score: T, levels: NoiseLevels<T>): T {
  return tf.neg(tf.mul(score, levels.noise)) as T;
}
