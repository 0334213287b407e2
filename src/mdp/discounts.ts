import { requireInteger, requireNumber, requireOneOf } from '../errors.js';
import { requireOptions } from '../options.js';

/**
 * How a discount and a GAE decay are spread over the K diffusion steps of an environment step:
 * - `'phase'`: they count at the last step only (1 before it), so the problem is that of the environment at any K;
 * - `'root'`: their K-th roots at every step; the horizon in environment steps is kept, costs within a phase are discounted;
 * - `'flat'`: the given numbers at every step, as in DMERL's released code; an environment step discounts by gamma^K, so
 *   changing K changes the problem.
 *
 * The three have different optima; numbers obtained with one are not comparable with another's.
 */
export type DiscountMode = 'phase' | 'root' | 'flat';

/** Factors of the augmented steps 0 ... K - 1 in generation order; the last one leads to the next environment state. */
export interface AugmentedDiscounts {
  /** Discounts, `[K]`. */
  gammas: number[];
  /** Decays of generalised advantage estimation, `[K]`. */
  lambdas: number[];
}

/**
 * Spreads `gamma` and `lambda` over the K diffusion steps of an environment step.
 *
 * @param options.diffusionSteps K >= 1
 * @param options.gamma in [0, 1]
 * @param options.lambda in [0, 1], default 1
 * @param options.mode default `'phase'`
 * @throws ArgumentError for values out of range
 */
export function augmentedDiscounts(options: {
  diffusionSteps: number;
  gamma: number;
  lambda?: number;
  mode?: DiscountMode;
}): AugmentedDiscounts {
  const given = requireOptions('augmentedDiscounts', options, {
    diffusionSteps: true,
    gamma: true,
    lambda: true,
    mode: true,
  });
  const { mode = 'phase' } = given;
  const steps = requireInteger('augmentedDiscounts', 'diffusionSteps', given.diffusionSteps, { min: 1 });
  const gamma = requireNumber('augmentedDiscounts', 'gamma', given.gamma, { min: 0, max: 1 });
  const lambda = requireNumber('augmentedDiscounts', 'lambda', given.lambda ?? 1, { min: 0, max: 1 });
  requireOneOf('augmentedDiscounts', 'mode', mode, ['phase', 'root', 'flat']);
  return { gammas: spread(gamma, steps, mode), lambdas: spread(lambda, steps, mode) };
}

function spread(factor: number, steps: number, mode: DiscountMode): number[] {
  if (mode === 'phase') return Array.from({ length: steps }, (_, k) => (k === steps - 1 ? factor : 1));
  return new Array<number>(steps).fill(mode === 'root' ? factor ** (1 / steps) : factor);
}
