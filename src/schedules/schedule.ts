import { ArgumentError, requireList, show } from '../errors.js';

/**
 * How noise is spread over the steps of a diffusion chain. One immutable object serves every sampler: DDPM chains
 * read the arrays in noising order, Euler-Maruyama chains read `stepSizes` in generation order.
 *
 * The two views belong together as $\beta = 1 - e^{-2s}$, the exact noising kernel of an Ornstein-Uhlenbeck process
 * with unit stationary variance over a time s.
 */
export interface NoiseSchedule {
  readonly name: string;
  /** Number of steps K. */
  readonly steps: number;
  /** $\beta_i$, noising order: entry 0 is next to the data. In (0, 1). */
  readonly betas: readonly number[];
  /** $\alpha_i = 1 - \beta_i$. */
  readonly alphas: readonly number[];
  /** $\bar\alpha_i = \prod_{j \le i} \alpha_j$. */
  readonly alphaBars: readonly number[];
  /** $\beta_i\,(1 - \bar\alpha_{i-1}) / (1 - \bar\alpha_i)$ with $\bar\alpha_{-1} = 1$: the variance of $x_{i-1}$ given $x_i$ and the data. */
  readonly posteriorVariances: readonly number[];
  /** Relative step sizes $c(k)$, generation order: entry 0 is next to the prior. Positive. */
  readonly stepSizes: readonly number[];
}

/** Most steps of a schedule. */
export const MAX_STEPS = 100_000;

/**
 * A schedule from the betas of a DDPM chain, noising order.
 *
 * @throws ArgumentError unless there is at least one beta and all are in (0, 1)
 */
export function scheduleFromBetas(name: string, betas: readonly number[]): NoiseSchedule {
  requireAll(name, 'betas', betas, (beta) => typeof beta === 'number' && beta > 0 && beta < 1, 'in (0, 1)');
  return complete(name, betas, betas.map((beta) => -0.5 * Math.log1p(-beta)).reverse());
}

/**
 * A schedule from the relative step sizes of an Euler-Maruyama chain, generation order.
 *
 * @throws ArgumentError unless there is at least one step size and all are positive
 */
export function scheduleFromStepSizes(name: string, stepSizes: readonly number[]): NoiseSchedule {
  requireAll(name, 'stepSizes', stepSizes, (size) => typeof size === 'number' && size > 0 && size < Infinity, '> 0');
  return complete(name, stepSizes.map((size) => -Math.expm1(-2 * size)).reverse(), stepSizes);
}

function complete(name: string, betas: readonly number[], stepSizes: readonly number[]): NoiseSchedule {
  const alphas = betas.map((beta) => 1 - beta);
  const alphaBars: number[] = [];
  for (const alpha of alphas) alphaBars.push(alpha * (alphaBars.at(-1) ?? 1));
  const posteriorVariances = betas.map(
    (beta, i) => (beta * (1 - (alphaBars[i - 1] ?? 1))) / (1 - (alphaBars[i] as number)),
  );
  return Object.freeze({
    name,
    steps: betas.length,
    betas: Object.freeze([...betas]),
    alphas: Object.freeze(alphas),
    alphaBars: Object.freeze(alphaBars),
    posteriorVariances: Object.freeze(posteriorVariances),
    stepSizes: Object.freeze([...stepSizes]),
  });
}

function requireAll(
  name: string,
  what: string,
  values: readonly number[],
  allowed: (value: number) => boolean,
  range: string,
) {
  if (typeof name !== 'string') throw new ArgumentError(`A schedule's name must be a text, got ${show(name)}.`);
  requireList(name, what, values);
  const wrong = Array.from(values).findIndex((value) => !allowed(value));
  if (values.length > 0 && wrong < 0) return;
  const got = values.length === 0 ? 'an empty list' : `${values[wrong]} at ${wrong}`;
  throw new ArgumentError(`${name}: ${what} must be one or more numbers ${range}, got ${got}.`);
}
