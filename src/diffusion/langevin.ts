import * as tf from '@tensorflow/tfjs-core';
import type { NoiseSchedule } from '../schedules/schedule.js';

/**
 * Unadjusted Langevin dynamics: $x \leftarrow x + \eta_n\,\nabla\log p_n(x) + \sqrt{2\eta_n}\,\epsilon_n$.
 *
 * @param score of the target, `[B, A]` to `[B, A]`; may depend on the step n (annealing)
 * @param start `[B, A]`
 * @param noise one tensor `[B, A]` a step, standard normal
 * @param stepSizes $\eta_n$ > 0, one for all steps or one a step
 */
export function langevin(
  score: (x: tf.Tensor2D, step: number) => tf.Tensor2D,
  start: tf.Tensor2D,
  noise: readonly tf.Tensor2D[],
  stepSizes: number | readonly number[],
): tf.Tensor2D {
  return noise.reduce((x, kick, n) => {
    const size = typeof stepSizes === 'number' ? stepSizes : (stepSizes[n] as number);
    return tf.add(tf.add(x, tf.mul(score(x, n), size)), tf.mul(kick, Math.sqrt(2 * size)));
  }, start);
}

/**
 * Annealed Langevin dynamics (Song & Ermon 2019): `repeats` Langevin steps at every noise level of `schedule`, from the
 * noisiest down, with step sizes proportional to the level's variance, $\eta_i = \eta\,(1 - \bar\alpha_i)$.
 *
 * @param score of the noised target, at a step in noising order
 * @param noise `schedule.steps * repeats` tensors `[B, A]`, standard normal
 * @param options.stepSize $\eta$ > 0
 * @param options.repeats default 1
 */
export function annealedLangevin(
  score: (x: tf.Tensor2D, step: number) => tf.Tensor2D,
  start: tf.Tensor2D,
  noise: readonly tf.Tensor2D[],
  options: { schedule: NoiseSchedule; stepSize: number; repeats?: number },
): tf.Tensor2D {
  const { schedule, stepSize, repeats = 1 } = options;
  const level = (n: number) => schedule.steps - 1 - Math.floor(n / repeats);
  const stepSizes = noise.map((_, n) => stepSize * (1 - (schedule.alphaBars[level(n)] as number)));
  return langevin((x, n) => score(x, level(n)), start, noise, stepSizes);
}
