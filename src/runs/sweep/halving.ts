import { DiffrlError } from '../../errors.js';
import { mean } from '../../stats/summary.js';
import { evaluationsOf } from '../results.js';
import type { SweepEntry } from './sweep.js';

/**
 * The runs of the variants that go on: of those of an agent on a task one in `factor`, by the mean over seeds of their last
 * evaluation up to `steps`. A variant is left behind where one of its runs has no result or failed before.
 *
 * @throws DiffrlError if no variant of an agent on a task has results, without a failure that explains it
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
    if (!ranked.length) requireFailures(group, steps);
    return ranked.slice(0, Math.max(1, Math.ceil(group.length / factor))).flatMap(({ runs }) => runs);
  });
}

function requireFailures(group: readonly { runs: SweepEntry[] }[], steps: (entry: SweepEntry) => number): void {
  const runs = group.map((variant) => variant.runs).find((own) => own.every(({ status }) => status.state !== 'failed'));
  if (!runs) return;
  const { agent, env } = runs[0]!.run.settings;
  throw new DiffrlError(
    `sweep: halving cannot compare the variants of '${agent}' on '${env}': none has evaluations that are numbers in all of its runs up to step ${steps(runs[0]!)}. Look at ${runs[0]!.folder.path}, evaluate more often, or take them out of the file.`,
  );
}

async function scoreOf(runs: readonly SweepEntry[], steps: (entry: SweepEntry) => number): Promise<number> {
  const scores = await Promise.all(
    runs.map(async (entry) => {
      if (entry.status.state === 'failed' && entry.status.step < steps(entry)) return undefined;
      const evaluations = await evaluationsOf(entry.folder);
      const { envs } = (await entry.folder.config()).resolved; // side by side, they stop at the first step beyond
      return evaluations.findLast(({ step }) => step < steps(entry) + envs)?.return;
    }),
  );
  return scores.every((score) => score !== undefined) ? mean(scores as number[]) : Number.NaN;
}
