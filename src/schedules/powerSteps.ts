import { described } from '../described.js';
import { requireInteger, requireNumber } from '../errors.js';
import { requireOptions } from '../options.js';
import { MAX_STEPS, type NoiseSchedule, scheduleFromStepSizes } from './schedule.js';

/**
 * Step sizes that fall from the prior to the action by a power law, $c(k) \propto m + (1 - m)\,(1 - k/K)^p$. DMERL's schedule
 * is the linear one, p = 1. Small steps next to the action leave less noise in it and give a far tighter bound than
 * equal steps.
 *
 * @param options.steps number of steps K >= 1
 * @param options.power p >= 0, default 1
 * @param options.min m in [0, 1], the factor that the steps fall towards, default 0.17
 * @param options.total sum of the step sizes; default: the first is 1
 * @throws ArgumentError for values out of range
 *
 * @example
 * ```ts run
 * import { powerStepsSchedule } from 'diffrl';
 *
 * const { stepSizes } = powerStepsSchedule({ steps: 4, total: 1 });
 * console.log(stepSizes.map((size) => size.toFixed(3)).join(' ')); // 0.363 0.288 0.212 0.137
 * ```
 */
export function powerStepsSchedule(options: {
  steps: number;
  power?: number;
  min?: number;
  total?: number;
}): NoiseSchedule {
  requireOptions('powerStepsSchedule', options, { steps: true, power: true, min: true, total: true });
  const { steps, power = 1, min = 0.17 } = options;
  requireInteger('powerStepsSchedule', 'steps', steps, { min: 1, max: MAX_STEPS });
  requireNumber('powerStepsSchedule', 'min', min, { min: 0, max: 1 });
  requireNumber('powerStepsSchedule', 'power', power, { min: 0 });
  const relative = Array.from({ length: steps }, (_, k) => min + (1 - min) * (1 - k / steps) ** power);
  const sum = relative.reduce((total, size) => total + size);
  const total = requireNumber('powerStepsSchedule', 'total', options.total ?? sum, { above: 0 });
  return described(
    scheduleFromStepSizes(
      'powerStepsSchedule',
      relative.map((size) => (size * total) / sum),
    ),
    powerStepsSchedule,
    options,
  );
}
