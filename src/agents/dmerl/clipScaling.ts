import { requireNumber, requireOneOf } from '../../errors.js';
import { option } from '../../options.js';
import type { NoiseSchedule } from '../../schedules/schedule.js';

/**
 * How PPO's clipping bound for a whole policy becomes one for a single diffusion step. For one change of the control
 * the log-ratio of a step has standard deviation proportional to $K^{-1/2}$, so an unscaled bound stops clipping as K grows.
 * - `'sqrtK'`: clip / sqrt(K), which clips the same share of ratios at any K;
 * - `'delta'`: clip times the root of the step's share of the total time, the same for uneven steps;
 * - `'linearK'`: clip / K, the worst case for the product of ratios;
 * - `'none'`: clip, as in DMERL's released code;
 * - `'dppo'`: grows exponentially from clip / 10 at the first step to clip at the last (Ren et al. 2024);
 * - a function of step k (generation order) and K, a factor on clip.
 */
export type ClipScaling = 'sqrtK' | 'delta' | 'linearK' | 'none' | 'dppo' | ((k: number, steps: number) => number);

/** Bounds for the steps 0 ... K - 1. @throws ArgumentError for a scaling that gives no positive number */
export function clipBounds(scaling: ClipScaling, clip: number, { steps, stepSizes }: NoiseSchedule): number[] {
  const total = stepSizes.reduce((sum, size) => sum + size);
  const factor = typeof scaling === 'function' ? scaling : rules[scaling];
  return stepSizes.map((size, k) => {
    const value = clip * factor(k, steps, size / total);
    return requireNumber('DiffPpoAgent', `clipScaling(${k}, ${steps}) * clip`, value, { above: 0 });
  });
}

/** The scaling as an option. */
export const clipScalingOption = option<ClipScaling>({
  doc: 'How clip becomes that of a diffusion step; see ClipScaling.',
  allowed: "'sqrtK' | 'delta' | 'linearK' | 'none' | 'dppo' | function of step and K",
  initial: 'sqrtK',
  check: (where, name, value) =>
    typeof value === 'function' ? (value as ClipScaling) : requireOneOf(where, name, value, NAMES),
});

const NAMES = ['sqrtK', 'delta', 'linearK', 'none', 'dppo'] as const;

const rules: Record<(typeof NAMES)[number], (k: number, steps: number, share: number) => number> = {
  sqrtK: (_, steps) => 1 / Math.sqrt(steps),
  delta: (_, __, share) => Math.sqrt(share),
  linearK: (_, steps) => 1 / steps,
  none: () => 1,
  dppo: (k, steps) => (steps === 1 ? 1 : 0.1 + (0.9 * Math.expm1((3 * k) / (steps - 1))) / Math.expm1(3)),
};
