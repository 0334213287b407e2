import { described } from '../described.js';
import { requireInteger, requireNumber } from '../errors.js';
import { requireOptions } from '../options.js';
import { MAX_STEPS, type NoiseSchedule, scheduleFromBetas } from './schedule.js';

/**
 * The variance-preserving SDE of Song et al. (2021), discretised exactly:
 * $\beta_i = 1 - \exp\!\big(-\tfrac{b_{\min}}{K} - \tfrac{(b_{\max} - b_{\min})(2i + 1)}{2K^2}\big)$.
 *
 * @param options.steps number of steps K >= 1
 * @param options.betaMin rate at the data end, default 0.1
 * @param options.betaMax rate at the prior end, default 10
 * @throws ArgumentError if steps is not an integer >= 1 or the rates are not 0 < betaMin <= betaMax
 *
 * @example
 * ```ts run
 * import { variancePreservingSchedule } from 'diffrl';
 *
 * const { betas } = variancePreservingSchedule({ steps: 4 });
 * console.log(betas.map((beta) => beta.toFixed(3)).join(' ')); // 0.284 0.614 0.792 0.888
 * ```
 */
export function variancePreservingSchedule(options: {
  steps: number;
  betaMin?: number;
  betaMax?: number;
}): NoiseSchedule {
  requireOptions('variancePreservingSchedule', options, { steps: true, betaMin: true, betaMax: true });
  const { steps, betaMin = 0.1, betaMax = 10 } = options;
  requireInteger('variancePreservingSchedule', 'steps', steps, { min: 1, max: MAX_STEPS });
  requireNumber('variancePreservingSchedule', 'betaMin', betaMin, { above: 0 });
  requireNumber('variancePreservingSchedule', 'betaMax', betaMax, { min: betaMin });
  const betas = Array.from({ length: steps }, (_, i) => {
    return -Math.expm1(-betaMin / steps - ((betaMax - betaMin) * (2 * i + 1)) / (2 * steps ** 2));
  });
  return described(scheduleFromBetas('variancePreservingSchedule', betas), variancePreservingSchedule, options);
}
