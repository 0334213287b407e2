import { ArgumentError, requireFinite, requireInteger, requireList } from '../errors.js';
import { Rng } from '../rng/rng.js';
import type { Interval } from './bootstrap.js';
import { mean, quantile } from './summary.js';

/**
 * How probable it is that a run of `a` beats a run of `b` on a task drawn at random, ties counted half, with a 95 %
 * interval from the stratified bootstrap over runs (Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the
 * Statistical Precipice", section 4.3).
 *
 * @param a scores `[tasks][runs]`
 * @param b scores of the same tasks; the number of runs may differ
 * @throws ArgumentError unless both have the same tasks, each with a run, and resamples is an integer >= 1
 */
export function probabilityOfImprovement(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
  resamples = 2000,
): Interval {
  requireInteger('probabilityOfImprovement', 'resamples', resamples, { min: 1 });
  for (const [name, scores] of Object.entries({ a, b })) {
    requireList('probabilityOfImprovement', name, scores);
    for (const runs of scores as readonly unknown[]) requireList('probabilityOfImprovement', `${name}[i]`, runs);
  }
  if (a.length === 0 || a.length !== b.length || [...a, ...b].some((runs) => runs.length === 0)) {
    throw new ArgumentError('probabilityOfImprovement: both must have at least one run for each of the same tasks.');
  }
  for (const runs of [...a, ...b]) requireFinite('probabilityOfImprovement', 'scores', runs);
  const rng = Rng.fromSeed(0);
  const draw = (runs: readonly number[]) => runs.map(() => runs[rng.integer(runs.length)] as number);
  const estimates = Array.from({ length: resamples }, () => overTasks(a.map(draw), b.map(draw)));
  return { estimate: overTasks(a, b), low: quantile(estimates, 0.025), high: quantile(estimates, 0.975) };
}

function overTasks(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  return mean(a.map((runs, task) => mean(runs.flatMap((x) => (b[task] as number[]).map((y) => wins(x, y))))));
}

function wins(x: number, y: number): number {
  return x > y ? 1 : x === y ? 0.5 : 0;
}
