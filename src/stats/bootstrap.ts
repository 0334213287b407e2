import { ArgumentError, requireFinite, requireInteger, requireNumber, show } from '../errors.js';
import { requireOptions } from '../options.js';
import { Rng, requireRng } from '../rng/rng.js';
import { interquartileMean, quantile } from './summary.js';

export interface BootstrapOptions {
  /** What to estimate, from scores `[tasks][runs]`. Default: the interquartile mean of all scores. */
  statistic?: (scores: readonly (readonly number[])[]) => number;
  /** Probability that the interval covers the true value. Default 0.95. */
  confidence?: number;
  /** How often the runs are drawn anew. Default 2000. */
  resamples?: number;
  /** Where the draws come from. Default: a stream from seed 0, so that the same scores give the same interval. */
  rng?: Rng;
}

/** An estimate and the ends of its confidence interval. */
export interface Interval {
  estimate: number;
  low: number;
  high: number;
}

/**
 * A confidence interval over runs by the stratified percentile bootstrap: the runs of each task are drawn anew with
 * replacement, task by task, which is how the rliable protocol (Agarwal et al., 2021) reports results of few seeds.
 *
 * @param scores final scores `[tasks][runs]`, normalised if there are several tasks
 * @throws ArgumentError if a task has no run, or no task has two: single runs say nothing about the spread
 * @throws NonFiniteError for NaN or infinity
 *
 * @example
 * ```ts
 * const { estimate, low, high } = stratifiedBootstrap([[810, 930, 870, 900, 650]]); // one task, five seeds
 * ```
 */
export function stratifiedBootstrap(scores: readonly (readonly number[])[], options: BootstrapOptions = {}): Interval {
  requireOptions('stratifiedBootstrap', options, { statistic: true, confidence: true, resamples: true, rng: true });
  const { statistic = (all) => interquartileMean(all.flat()), confidence = 0.95, resamples = 2000 } = options;
  const { rng = Rng.fromSeed(0) } = options;
  requireRng('stratifiedBootstrap', rng);
  requireNumber('stratifiedBootstrap', 'confidence', confidence, { above: 0, below: 1 });
  requireInteger('stratifiedBootstrap', 'resamples', resamples, { min: 1 });
  if (!Array.isArray(scores) || !scores.every((runs) => Array.isArray(runs))) {
    throw new ArgumentError(`stratifiedBootstrap: scores must be lists [tasks][runs], got ${show(scores)}.`);
  }
  if (scores.length === 0 || scores.some((runs) => runs.length === 0)) {
    throw new ArgumentError('stratifiedBootstrap: scores must hold at least one run for each task.');
  }
  if (scores.every((runs) => runs.length === 1)) {
    const turned =
      scores.length > 1 ? ` Scores are [tasks][runs]; for one task with ${scores.length} runs pass [[...]].` : '';
    throw new ArgumentError(
      `stratifiedBootstrap: an interval needs two or more runs of a task, got one run of each.${turned}`,
    );
  }
  for (const [task, runs] of scores.entries()) requireFinite('stratifiedBootstrap', `scores[${task}]`, runs);
  const draw = (runs: readonly number[]) => runs.map(() => runs[rng.integer(runs.length)] as number);
  const estimates = Float64Array.from({ length: resamples }, () => statistic(scores.map(draw)));
  const tail = (1 - confidence) / 2;
  return { estimate: statistic(scores), low: quantile(estimates, tail), high: quantile(estimates, 1 - tail) };
}
