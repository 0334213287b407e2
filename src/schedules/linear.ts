import { described } from '../described.js';
import { requireInteger, requireNumber } from '../errors.js';
import { requireOptions } from '../options.js';
import { MAX_STEPS, type NoiseSchedule, scheduleFromBetas } from './schedule.js';

/**
 * Betas in equal steps: $\beta_i = \text{scale} \cdot (\text{start} + (\text{end} - \text{start})\, i / (K - 1))$. The defaults with
 * `scale: 0.8` are those of SDAC's released code.
 *
 * @param options.steps number of steps K >= 1
 * @param options.start first beta before scaling, default 1e-4
 * @param options.end last beta before scaling, default 0.999
 * @param options.scale factor on all betas, default 1
 * @throws ArgumentError if steps is not an integer >= 1 or a beta leaves (0, 1)
 *
 * @example
 * ```ts run
 * import { linearSchedule } from 'diffrl';
 *
 * const { betas } = linearSchedule({ steps: 4, scale: 0.8 });
 * console.log(betas.map((beta) => beta.toFixed(3)).join(' ')); // 0.000 0.266 0.533 0.799
 * ```
 */
export function linearSchedule(options: {
  steps: number;
  start?: number;
  end?: number;
  scale?: number;
}): NoiseSchedule {
  requireOptions('linearSchedule', options, { steps: true, start: true, end: true, scale: true });
  const { steps, start = 1e-4, end = 0.999, scale = 1 } = options;
  requireInteger('linearSchedule', 'steps', steps, { min: 1, max: MAX_STEPS });
  requireNumber('linearSchedule', 'scale', scale, { above: 0 });
  const betas = Array.from({ length: steps }, (_, i) => scale * (start + ((end - start) * i) / Math.max(steps - 1, 1)));
  return described(scheduleFromBetas('linearSchedule', betas), linearSchedule, options);
}
