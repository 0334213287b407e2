import { requireInteger, requireNumber } from '../errors.js';
import { type NoiseSchedule, scheduleFromStepSizes } from './schedule.js';

/**
 * Step sizes that fall in equal parts from the prior to the action, $c(k) \propto 1 - (1 - m)\,k/K$: DMERL's schedule.
 * Large steps next to the prior and small ones next to the action give a far tighter bound than equal steps.
 *
 * @param options.steps number of steps K >= 1
 * @param options.min m in (0, 1], the factor that the steps fall towards, default 0.17
 * @param options.total sum of the step sizes; default: the first is 1
 * @throws ArgumentError for values out of range
 */
export function linearStepsSchedule(options: { steps: number; min?: number; total?: number }): NoiseSchedule {
  const { steps, min = 0.17 } = options;
  requireInteger('linearStepsSchedule', 'steps', steps, { min: 1 });
  requireNumber('linearStepsSchedule', 'min', min, { above: 0, max: 1 });
  const relative = Array.from({ length: steps }, (_, k) => 1 - ((1 - min) * k) / steps);
  const sum = relative.reduce((total, size) => total + size);
  const total = requireNumber('linearStepsSchedule', 'total', options.total ?? sum, { above: 0 });
  return scheduleFromStepSizes(
    'linearStepsSchedule',
    relative.map((size) => (size * total) / sum),
  );
}
