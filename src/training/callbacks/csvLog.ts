import { requireInteger } from '../../errors.js';
import { mean } from '../../stats/summary.js';
import type { TrainingCallback } from '../callback.js';
import { CsvTable } from '../csvTable.js';
import type { EpisodeRecord } from '../history.js';
import type { TrainingRun } from '../trainingRun.js';

export interface CsvLogOptions {
  /** Environment steps between two rows. Default 1000. */
  every?: number;
}

/**
 * Writes a table of the run to the file `path`: one row every so many environment steps, with `step`, `seconds`,
 * `episodes` so far, mean `return` and `length` of the episodes that ended since the row before, the mean of each
 * metric of the agent's updates since then, and `evaluation_return`, `evaluation_std` where one was made. Cells without
 * a value are empty. A resumed run goes on in the same file from the step at which it was saved.
 */
export function csvLog(path: string, { every = 1000 }: CsvLogOptions = {}): TrainingCallback {
  requireInteger('csvLog', 'every', every, { min: 1 });
  const averages = new Averages();
  let episodes: EpisodeRecord[] = [];
  let table: CsvTable | undefined;
  let startTime: number;

  async function writeRow(run: TrainingRun): Promise<void> {
    const row = {
      step: run.step,
      seconds: (performance.now() - startTime) / 1000,
      episodes: run.history.episodes.length,
      ...(episodes.length && {
        return: mean(episodes.map((episode) => episode.return)),
        length: mean(episodes.map(({ length }) => length)),
      }),
      ...averages.take(),
    };
    episodes = [];
    await table?.add(row);
  }

  return {
    async onStart(run) {
      table = await CsvTable.open(path, run.step);
      startTime = performance.now() - 1000 * (table.last?.seconds ?? 0);
    },
    onStep(_, report) {
      averages.add(report.metrics);
      episodes.push(...report.episodes);
    },
    onEvaluation(_, evaluation) {
      averages.add({ evaluation_return: evaluation.mean, evaluation_std: evaluation.std });
    },
    async onStepEnd(run) {
      if (run.isDue(every)) await writeRow(run);
    },
    async onEnd(run) {
      if (run.step > (table?.last?.step ?? 0)) await writeRow(run);
    },
  };
}

/** The mean of each named number since the last call of `take`. */
class Averages {
  private sums = new Map<string, { total: number; count: number }>();

  add(values: Record<string, number>): void {
    for (const [name, value] of Object.entries(values)) {
      const { total, count } = this.sums.get(name) ?? { total: 0, count: 0 };
      this.sums.set(name, { total: total + value, count: count + 1 });
    }
  }

  take(): Record<string, number> {
    const means = [...this.sums].map(([name, { total, count }]) => [name, total / count]);
    this.sums = new Map();
    return Object.fromEntries(means);
  }
}
