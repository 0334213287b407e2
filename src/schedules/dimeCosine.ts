import { described } from '../described.js';
import { requireInteger, requireNumber } from '../errors.js';
import { requireOptions } from '../options.js';
import { MAX_STEPS, type NoiseSchedule, scheduleFromStepSizes } from './schedule.js';

/**
 * Step sizes of DIME's released code, large at the prior end and small at the action end:
 * $c(k) = (1 - m) \cos^2\!\big(\tfrac\pi2\,\tfrac{1 + s - t}{1 + s}\big) + m$ with $t = (K - k)/K$.
 * They are not normalised: more steps mean a longer total time.
 *
 * @param options.steps number of steps K >= 1
 * @param options.s offset, default 0.008
 * @param options.min smallest step size m in (0, 1], default 0.001
 * @throws ArgumentError for values out of range
 *
 * @example
 * ```ts run
 * import { dimeCosineSchedule } from 'diffrl';
 *
 * const { stepSizes } = dimeCosineSchedule({ steps: 4 });
 * console.log(stepSizes.map((size) => size.toFixed(3)).join(' ')); // 1.000 0.847 0.494 0.145
 * ```
 */
export function dimeCosineSchedule(options: { steps: number; s?: number; min?: number }): NoiseSchedule {
  requireOptions('dimeCosineSchedule', options, { steps: true, s: true, min: true });
  const { steps, s = 0.008, min = 0.001 } = options;
  requireInteger('dimeCosineSchedule', 'steps', steps, { min: 1, max: MAX_STEPS });
  requireNumber('dimeCosineSchedule', 's', s, { min: 0 });
  requireNumber('dimeCosineSchedule', 'min', min, { above: 0, max: 1 });
  const stepSizes = Array.from({ length: steps }, (_, k) => {
    const t = (steps - k) / steps;
    return (1 - min) * Math.cos((Math.PI / 2) * ((1 + s - t) / (1 + s))) ** 2 + min;
  });
  return described(scheduleFromStepSizes('dimeCosineSchedule', stepSizes), dimeCosineSchedule, options);
}
