import { described } from '../described.js';
import { requireInteger, requireNumber } from '../errors.js';
import { requireOptions } from '../options.js';
import { MAX_STEPS, type NoiseSchedule, scheduleFromBetas } from './schedule.js';

/**
 * Li et al.'s (2022) square-root schedule, noisy early: $\bar\alpha_i \propto 1 - \sqrt{(i + 1)/K + s}$, each beta at most `maxBeta`.
 *
 * @param options.steps number of steps K >= 1
 * @param options.s offset, default 0.008
 * @param options.maxBeta default 0.999
 * @throws ArgumentError if steps is not an integer >= 1, or s or maxBeta is out of (0, 1)
 *
 * @example
 * ```ts run
 * import { squareRootSchedule } from 'diffrl';
 *
 * const { betas } = squareRootSchedule({ steps: 4 });
 * console.log(betas.map((beta) => beta.toFixed(3)).join(' ')); // 0.460 0.416 0.550 0.999
 * ```
 */
export function squareRootSchedule(options: { steps: number; s?: number; maxBeta?: number }): NoiseSchedule {
  requireOptions('squareRootSchedule', options, { steps: true, s: true, maxBeta: true });
  const { steps, s = 0.008, maxBeta = 0.999 } = options;
  requireInteger('squareRootSchedule', 'steps', steps, { min: 1, max: MAX_STEPS });
  requireNumber('squareRootSchedule', 's', s, { above: 0, below: 1 });
  requireNumber('squareRootSchedule', 'maxBeta', maxBeta, { above: 0, below: 1 });
  const kept = (i: number) => Math.max(1 - Math.sqrt(i / steps + s), 0);
  const beta = (i: number) => (kept(i) > 0 ? Math.min(1 - kept(i + 1) / kept(i), maxBeta) : maxBeta);
  return described(
    scheduleFromBetas(
      'squareRootSchedule',
      Array.from({ length: steps }, (_, i) => beta(i)),
    ),
    squareRootSchedule,
    options,
  );
}
