import { described } from '../described.js';
import { requireInteger, requireNumber } from '../errors.js';
import { requireOptions } from '../options.js';
import { MAX_STEPS, type NoiseSchedule, scheduleFromBetas } from './schedule.js';

/**
 * Nichol & Dhariwal's (2021) cosine schedule: $\bar\alpha_i \propto \cos^2\!\big(\tfrac\pi2\,\tfrac{(i + 1)/K + s}{1 + s}\big)$, each
 * beta at most `maxBeta`, then scaled.
 *
 * @param options.steps number of steps K >= 1
 * @param options.s offset that keeps the first betas from vanishing, default 0.008
 * @param options.maxBeta default 0.999
 * @param options.scale factor on all betas after the cap, default 1
 * @throws ArgumentError if steps is not an integer >= 1 or a beta leaves (0, 1)
 *
 * @example
 * ```ts run
 * import { cosineSchedule } from 'diffrl';
 *
 * const { betas } = cosineSchedule({ steps: 4 });
 * console.log(betas.map((beta) => beta.toFixed(3)).join(' ')); // 0.153 0.417 0.708 0.999
 * ```
 */
export function cosineSchedule(options: {
  steps: number;
  s?: number;
  maxBeta?: number;
  scale?: number;
}): NoiseSchedule {
  requireOptions('cosineSchedule', options, { steps: true, s: true, maxBeta: true, scale: true });
  const { steps, s = 0.008, maxBeta = 0.999, scale = 1 } = options;
  requireInteger('cosineSchedule', 'steps', steps, { min: 1, max: MAX_STEPS });
  requireNumber('cosineSchedule', 's', s, { min: 0 });
  requireNumber('cosineSchedule', 'maxBeta', maxBeta, { above: 0, below: 1 });
  requireNumber('cosineSchedule', 'scale', scale, { above: 0 });
  const kept = (i: number) => Math.cos(((i / steps + s) / (1 + s)) * (Math.PI / 2)) ** 2;
  const betas = Array.from({ length: steps }, (_, i) => scale * Math.min(1 - kept(i + 1) / kept(i), maxBeta));
  return described(scheduleFromBetas('cosineSchedule', betas), cosineSchedule, options);
}
