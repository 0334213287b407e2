import { requireInteger } from '../../errors.js';
import { requireOptions } from '../../options.js';
import type { MaybePromise } from '../../state.js';
import { mean } from '../../stats/summary.js';
import type { TrainingCallback } from '../callback.js';
import type { EpisodeRecord } from '../history.js';
import type { TrainingRun } from '../trainingRun.js';
import { loggedName } from './metricNames.js';

/** Numbers of a stretch of training by their logged names, at the environment step that ended it. */
export type LogRow = { step: number } & Record<string, number>;

/** Where rows go. */
export interface RowSink {
  /** The last row that is there already, when a run goes on. */
  readonly last?: LogRow;
  add(row: LogRow): MaybePromise<void>;
}

export interface LogOptions {
  /** Environment steps between two rows. Default 1000. */
  every?: number;
}

/**
 * A callback that hands a row to a sink every so many environment steps and at the end.
 *
 * @param where the public name the user called
 * @param open makes the sink for a run that starts, or goes on, after `step`
 */
export function rowLog(
  where: string,
  options: LogOptions,
  open: (run: TrainingRun) => MaybePromise<RowSink>,
): TrainingCallback {
  requireOptions(where, options, { every: true });
  const { every = 1000 } = options;
  requireInteger(where, 'every', every, { min: 1 });
  let sink: RowSink | undefined;
  let rows: RowBuilder;
  let written: number;

  async function write(run: TrainingRun): Promise<void> {
    written = run.step;
    await sink?.add(rows.take(run));
  }

  return {
    async onStart(run) {
      sink = await open(run);
      rows = new RowBuilder(run, sink.last?.['time/seconds'] ?? 0);
      written = sink.last?.step ?? run.step;
    },
    onStep(_, { metrics, episodes }) {
      rows.add(metrics, episodes);
    },
    onEvaluation(_, evaluation) {
      rows.average({
        'evaluation/return': evaluation.mean,
        'evaluation/std': evaluation.std,
        'evaluation/length': mean(evaluation.lengths),
        ...(evaluation.successRate !== undefined && { 'evaluation/successRate': evaluation.successRate }),
      });
    },
    async onStepEnd(run) {
      if (run.isDue(every)) await write(run);
    },
    async onEnd(run) {
      if (run.step > written) await write(run);
    },
  };
}

/** Gathers what happens between two rows. */
class RowBuilder {
  private readonly startTime: number;
  private before: { time: number; step: number; updates: number };
  private sums = new Map<string, { total: number; count: number }>();
  private episodes: EpisodeRecord[] = [];

  /** @param seconds that the run has taken so far, in earlier processes */
  constructor(run: TrainingRun, seconds: number) {
    const time = performance.now();
    this.startTime = time - 1000 * seconds;
    this.before = { time, step: run.step, updates: updatesOf(run) };
  }

  add(metrics: Record<string, number>, episodes: readonly EpisodeRecord[]): void {
    this.episodes.push(...episodes);
    for (const [name, value] of Object.entries(metrics)) this.average({ [loggedName(name)]: value });
  }

  average(values: Record<string, number>): void {
    for (const [name, value] of Object.entries(values)) {
      const { total, count } = this.sums.get(name) ?? { total: 0, count: 0 };
      this.sums.set(name, { total: total + value, count: count + 1 });
    }
  }

  take(run: TrainingRun): LogRow {
    const { before, episodes, sums } = this;
    const now = { time: performance.now(), step: run.step, updates: updatesOf(run) };
    const seconds = Math.max(now.time - before.time, 1e-3) / 1000;
    [this.before, this.episodes, this.sums] = [now, [], new Map()];
    return {
      step: run.step,
      'time/seconds': (now.time - this.startTime) / 1000,
      'time/environmentStepsPerSecond': (now.step - before.step) / seconds,
      'time/updatesPerSecond': (now.updates - before.updates) / seconds,
      'episode/count': run.history.episodes.length,
      ...(episodes.length && {
        'episode/return': mean(episodes.map((episode) => episode.return)),
        'episode/length': mean(episodes.map(({ length }) => length)),
      }),
      ...Object.fromEntries([...sums].map(([name, { total, count }]) => [name, total / count])),
    };
  }
}

/** Gradient updates so far, where the agent counts them. */
function updatesOf({ agent }: TrainingRun): number {
  return (agent as { updates?: number }).updates ?? 0;
}
