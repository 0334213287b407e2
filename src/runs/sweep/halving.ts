import { mean } from '../../stats/summary.js';
import { evaluationsOf } from '../results.js';
import type { SweepEntry } from './sweep.js';

/**
 * The runs of the variants that go on: of those of an agent on a task one in `factor`, by the mean over seeds of their last
 * evaluation up to `steps`. A variant without a result in all of its runs is left behind.
 */
export async function survivors(
  entries: readonly SweepEntry[],
  factor: number,
  steps: (entry: SweepEntry) => number,
): Promise<SweepEntry[]> {
  const variants = new Map<string, SweepEntry[]>();
  for (const entry of entries) {
    const { env, agent, options } = entry.run.settings;
    const key = JSON.stringify([env, agent, options]);
    variants.set(key, [...(variants.get(key) ?? []), entry]);
  }
  const groups = new Map<string, { score: number; runs: SweepEntry[] }[]>();
  for (const runs of variants.values()) {
    const { env, agent } = runs[0]!.run.settings;
    const key = JSON.stringify([env, agent]);
    groups.set(key, [...(groups.get(key) ?? []), { runs, score: await scoreOf(runs, steps) }]);
  }
  return [...groups.values()].flatMap((group) => {
    const ranked = group.filter(({ score }) => Number.isFinite(score)).sort((a, b) => b.score - a.score);
    return ranked.slice(0, Math.max(1, Math.ceil(group.length / factor))).flatMap(({ runs }) => runs);
  });
}

async function scoreOf(runs: readonly SweepEntry[], steps: (entry: SweepEntry) => number): Promise<number> {
  const scores = await Promise.all(
    runs.map(async (entry) => {
      const evaluations = await evaluationsOf(entry.folder);
      return evaluations.findLast(({ step }) => step <= steps(entry))?.return;
    }),
  );
  return scores.every((score) => score !== undefined) ? mean(scores as number[]) : Number.NaN;
}
