import { requireLength } from '../errors.js';
import type { AugmentedDiscounts } from './discounts.js';

/** T environment steps of N environments, each with K diffusion steps: arrays `[T, N]` or `[T, K, N]`, flat. */
export interface AugmentedSegment {
  /** Number of environments N. */
  numEnvs: number;
  /** `[T, N]`, of the environment. */
  rewards: ArrayLike<number>;
  /** `[T, K, N]`: $l_k = \log F_k - \log B_k$ of every diffusion step, the last less the squash's log-determinant. */
  logRatios: ArrayLike<number>;
  /** `[T, K, N]`: soft values $V(s, x_k, k)$. */
  values: ArrayLike<number>;
  /** `[T, N]`: V at the true successor's first diffusion step; read where an episode was cut and at the segment's end. */
  bootstrapValues: ArrayLike<number>;
  /** `[T, N]`, 1 where the task itself ended: nothing comes after. */
  terminated: ArrayLike<number>;
  /** `[T, N]`, 1 where the episode was cut. */
  truncated: ArrayLike<number>;
}

/**
 * Generalised advantage estimation (Schulman et al. 2016) on the augmented MDP, with soft rewards
 * $\tilde r_k = [k = K - 1]\,R - T\,l_k$ and a discount and decay of its own for every diffusion step.
 *
 * With `'phase'` discounts the advantage at the first diffusion step is exactly that of the environment-level problem
 * with reward $R - T\sum_k l_k$.
 *
 * @param temperature T, the price of one nat
 * @returns `[T, K, N]` each; returns are advantages plus values
 * @throws ShapeError if the arrays do not fit together
 */
export function augmentedGae(
  segment: AugmentedSegment,
  temperature: number,
  { gammas, lambdas }: AugmentedDiscounts,
): { advantages: Float64Array; returns: Float64Array } {
  checkSegment(segment, gammas.length);
  const { numEnvs, rewards, logRatios, values, bootstrapValues, terminated, truncated } = segment;
  const steps = gammas.length;
  const length = rewards.length / numEnvs;
  const advantages = new Float64Array(values.length);
  const returns = new Float64Array(values.length);

  for (let env = 0; env < numEnvs; env++) {
    let nextValue = 0;
    let nextAdvantage = 0;
    for (let t = length - 1; t >= 0; t--) {
      const outer = t * numEnvs + env;
      const ended = terminated[outer] || truncated[outer];
      if (ended || t === length - 1) nextValue = terminated[outer] ? 0 : at(bootstrapValues, outer);
      if (ended) nextAdvantage = 0;
      for (let k = steps - 1; k >= 0; k--) {
        const inner = (t * steps + k) * numEnvs + env;
        const [gamma, lambda] = [at(gammas, k), at(lambdas, k)];
        const reward = (k === steps - 1 ? at(rewards, outer) : 0) - temperature * at(logRatios, inner);
        const delta = reward + gamma * nextValue - at(values, inner);
        nextAdvantage = delta + gamma * lambda * nextAdvantage;
        nextValue = at(values, inner);
        advantages[inner] = nextAdvantage;
        returns[inner] = nextAdvantage + nextValue;
      }
    }
  }
  return { advantages, returns };
}

function checkSegment(segment: AugmentedSegment, steps: number): void {
  const outer = segment.rewards.length;
  for (const name of ['bootstrapValues', 'terminated', 'truncated'] as const) {
    requireLength('augmentedGae', name, segment[name], outer, 'one per environment step');
  }
  for (const name of ['logRatios', 'values'] as const) {
    requireLength('augmentedGae', name, segment[name], outer * steps, 'one per diffusion step');
  }
  requireLength('augmentedGae', 'rewards', segment.rewards, Math.ceil(outer / segment.numEnvs) * segment.numEnvs);
}

function at(values: ArrayLike<number>, index: number): number {
  return values[index] as number;
}
