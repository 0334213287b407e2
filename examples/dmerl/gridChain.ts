/** A mixture of Gaussians on the line. */
export interface Mixture {
  weights: readonly number[];
  means: readonly number[];
  /** Of all components. */
  std: number;
}

/** How tight the bound of a diffusion policy with K steps is, in nats. */
export interface Bound {
  /** KL divergence of the path measures: what training minimises. */
  joint: number;
  /** KL divergence of the actions' distributions: what is wanted. */
  marginal: number;
  /** joint - marginal, what the bound gives away. */
  gap: number;
}

/** Two equal modes, apart by many standard deviations. */
export const twoModes: Mixture = { weights: [0.5, 0.5], means: [-1.5, 1.5], std: 0.3 };

/**
 * The bound of a chain on the line, by quadrature on a grid: Ornstein-Uhlenbeck noising of the target with exact
 * kernels, and reverse kernels that are Gaussians with the posterior's mean.
 *
 * @param deltas times of the steps, in units of twice the prior's variance, the one next to the action first
 * @param variance `'fixed'`: reverse kernels have the variance of the noising ones; `'matched'`: one for each step, the
 * posterior's mean variance
 */
export function chainBound(
  target: Mixture,
  deltas: readonly number[],
  priorStd: number,
  variance: 'fixed' | 'matched',
): Bound {
  const grid = Float64Array.from({ length: POINTS }, (_, i) => -LIMIT + (2 * LIMIT * (i + 0.5)) / POINTS);
  const cell = (2 * LIMIT) / POINTS;
  const elapsed = deltas.map((_, k) => deltas.slice(0, k + 1).reduce((sum, delta) => sum + delta));
  const levels = [0, ...elapsed].map((time) => grid.map((x) => density(noised(target, time, priorStd), x)));
  const prior = grid.map((x) => normal(x, 0, priorStd ** 2));

  let current = prior;
  let joint = divergence(prior, levels.at(-1) as Float64Array, cell);
  for (let k = deltas.length - 1; k >= 0; k--) {
    const decay = Math.exp(-(deltas[k] as number) / 2);
    const noise = priorStd ** 2 * (1 - decay ** 2);
    const below = levels[k] as Float64Array;
    const posteriors = Array.from(grid, (x) => posterior(grid, below, x, decay, noise));
    const matched = expectation(levels[k + 1] as Float64Array, (i) => posteriors[i]?.variance as number, cell);
    const spread = variance === 'fixed' ? noise : matched;
    const next = new Float64Array(POINTS);
    for (let i = 0; i < POINTS; i++) {
      const mass = (current[i] as number) * cell;
      if (mass < 1e-14) continue;
      const { mean, logNormaliser } = posteriors[i] as Posterior;
      for (let j = 0; j < POINTS; j++) {
        const y = grid[j] as number;
        const q = normal(y, mean, spread);
        if (q < 1e-300) continue;
        next[j] = (next[j] as number) + mass * q;
        const logPosterior =
          Math.log(below[j] as number) + logNormal(grid[i] as number, decay * y, noise) - logNormaliser;
        joint += mass * q * (logNormal(y, mean, spread) - logPosterior) * cell;
      }
    }
    current = next;
  }
  const marginal = divergence(current, levels[0] as Float64Array, cell);
  return { joint, marginal, gap: joint - marginal };
}

/** Times of K steps that sum to `total`, the one next to the action first, from relative sizes as a function of [0, 1]. */
export function stepTimes(steps: number, total: number, size: (share: number) => number): number[] {
  const relative = Array.from({ length: steps }, (_, i) => size(steps === 1 ? 1 : i / (steps - 1)));
  const sum = relative.reduce((a, b) => a + b);
  return relative.map((value) => (value * total) / sum);
}

const POINTS = 600;
const LIMIT = 8;

interface Posterior {
  mean: number;
  variance: number;
  /** Logarithm of the noised density at x. */
  logNormaliser: number;
}

/** Moments of y given x under density(y) N(x; decay y, noise). */
function posterior(grid: Float64Array, below: Float64Array, x: number, decay: number, noise: number): Posterior {
  const cell = (2 * LIMIT) / POINTS;
  let [mass, first, second] = [0, 0, 0];
  for (let j = 0; j < POINTS; j++) {
    const y = grid[j] as number;
    const weight = (below[j] as number) * normal(x, decay * y, noise) * cell;
    mass += weight;
    first += weight * y;
    second += weight * y * y;
  }
  const mean = first / mass;
  return { mean, variance: second / mass - mean ** 2, logNormaliser: Math.log(mass) };
}

/** The target after noising over `time`. */
function noised(target: Mixture, time: number, priorStd: number): Mixture {
  const decay = Math.exp(-time / 2);
  const variance = target.std ** 2 * decay ** 2 + priorStd ** 2 * (1 - decay ** 2);
  return { weights: target.weights, means: target.means.map((mean) => decay * mean), std: Math.sqrt(variance) };
}

function density({ weights, means, std }: Mixture, x: number): number {
  return weights.reduce((sum, weight, i) => sum + weight * normal(x, means[i] as number, std ** 2), 0);
}

function divergence(p: Float64Array, q: Float64Array, cell: number): number {
  return expectation(p, (i) => ((p[i] as number) > 0 ? Math.log((p[i] as number) / (q[i] as number)) : 0), cell);
}

function expectation(weights: Float64Array, value: (i: number) => number, cell: number): number {
  return weights.reduce((sum, weight, i) => (weight > 1e-290 ? sum + weight * value(i) * cell : sum), 0);
}

function normal(x: number, mean: number, variance: number): number {
  return Math.exp(logNormal(x, mean, variance));
}

function logNormal(x: number, mean: number, variance: number): number {
  return -0.5 * ((x - mean) ** 2 / variance + Math.log(2 * Math.PI * variance));
}
