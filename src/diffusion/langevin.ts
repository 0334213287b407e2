import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, requireInteger, requireLength, requireNumber } from '../errors.js';
import type { NoiseSchedule } from '../schedules/schedule.js';

/**
 * Unadjusted Langevin dynamics: $x \leftarrow x + \eta_n\,\nabla\log p_n(x) + \sqrt{2\eta_n}\,\epsilon_n$.
 *
 * @param score of the target, `[B, A]` to `[B, A]`; may depend on the step n (annealing)
 * @param start `[B, A]`
 * @param noise one tensor `[B, A]` a step, standard normal
 * @param stepSizes $\eta_n$ > 0, one for all steps or one a step
 * @returns the last state, `[B, A]`
 * @throws ArgumentError for step sizes that are not positive or not as many as steps
 */
export function langevin(
  score: (x: tf.Tensor2D, step: number) => tf.Tensor2D,
  start: tf.Tensor2D,
  noise: readonly tf.Tensor2D[],
  stepSizes: number | readonly number[],
): tf.Tensor2D {
  const sizes = typeof stepSizes === 'number' ? noise.map(() => stepSizes) : stepSizes;
  requireLength('langevin', 'stepSizes', sizes, noise.length, 'one a step');
  sizes.forEach((size, n) => requireNumber('langevin', `stepSizes[${n}]`, size, { above: 0 }));
  return noise.reduce((x, kick, n) => {
    const size = sizes[n] as number;
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
 * @returns the last state, `[B, A]`
 * @throws ArgumentError for a step size or repeats out of range, or noise for another number of steps
 */
export function annealedLangevin(
  score: (x: tf.Tensor2D, step: number) => tf.Tensor2D,
  start: tf.Tensor2D,
  noise: readonly tf.Tensor2D[],
  options: { schedule: NoiseSchedule; stepSize: number; repeats?: number },
): tf.Tensor2D {
  const { schedule, stepSize, repeats = 1 } = options;
  requireNumber('annealedLangevin', 'stepSize', stepSize, { above: 0 });
  requireInteger('annealedLangevin', 'repeats', repeats, { min: 1 });
  if (noise.length !== schedule.steps * repeats) {
    throw new ArgumentError(
      `annealedLangevin: noise must be ${schedule.steps * repeats} tensors (steps x repeats), got ${noise.length}.`,
    );
  }
  const level = (n: number) => schedule.steps - 1 - Math.floor(n / repeats);
  const stepSizes = noise.map((_, n) => stepSize * (1 - (schedule.alphaBars[level(n)] as number)));
  return langevin((x, n) => score(x, level(n)), start, noise, stepSizes);
}
