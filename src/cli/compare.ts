import { ArgumentError } from '../errors.js';
import { writeFileAtomically } from '../files/files.js';
import { nearest } from '../nearest.js';
import { drawGroups, groupRuns, improvements, RETURN, type RunGroup, scoresOf } from '../runs/compare.js';
import type { RunFolder } from '../runs/folder.js';
import { progressOf } from '../runs/results.js';
import type { Interval } from '../stats/bootstrap.js';
import { mean } from '../stats/summary.js';
import { brief, table } from './print.js';
import { runsIn } from './runsIn.js';

/** Prints final results of groups of runs, and draws them. */
export async function compareRuns(
  paths: readonly string[],
  { metric = RETURN, svg, json }: { metric?: string; svg?: string; json?: boolean },
): Promise<void> {
  const groups = await groupsOf(await runsIn(paths), metric);
  const scores = scoresOf(groups);
  const better = improvements(scores);
  if (json)
    console.log(
      JSON.stringify({
        metric,
        scores: scores.map(({ group, ...rest }) => ({
          task: group.task,
          label: group.label,
          seeds: group.seeds,
          ...rest,
        })),
        improvements: better,
      }),
    );
  else {
    const rows = scores.map(({ group, scores: values, step, iqm }) => {
      const ends = [Math.min(...values), Math.max(...values)];
      return [
        group.task,
        group.label,
        String(values.length),
        String(step),
        span(iqm, values.length),
        ...[mean(values), ...ends].map(brief),
      ];
    });
    console.log(table(['task', 'agent', 'runs', 'step', 'IQM [95 %]', 'mean', 'min', 'max'], rows));
    for (const { first, second, tasks, probability } of better) {
      const share = [probability.estimate, probability.low, probability.high].map(
        (value) => `${(100 * value).toFixed(0)} %`,
      );
      console.log(
        `\n${first} beats ${second} with probability ${share[0]} [${share[1]}, ${share[2]}]${tasks > 1 ? ` over ${tasks} tasks` : ''}.`,
      );
    }
  }
  if (!svg) return;
  await draw(groups, svg, metric);
  (json ? console.error : console.log)(`Drawn: ${svg}`);
}

/** Draws a metric of runs. */
export async function plotRuns(
  paths: readonly string[],
  { out, metric = RETURN, title }: { out: string; metric?: string; title?: string },
): Promise<void> {
  await draw(await groupsOf(await runsIn(paths), metric), out, metric, title);
  console.log(`Drawn: ${out}`);
}

async function draw(groups: readonly RunGroup[], path: string, metric: string, title?: string): Promise<void> {
  const yLabel = metric === RETURN ? 'return' : metric;
  const { svg } = drawGroups(groups, { yLabel, ...(title !== undefined && { title }) });
  await writeFileAtomically('diffrl', path, svg);
}

async function groupsOf(folders: readonly RunFolder[], metric: string): Promise<RunGroup[]> {
  const groups = await groupRuns(folders, metric);
  for (const path of groups.flatMap(({ leftOut }) => leftOut)) {
    console.error(`Left out, for another run of its seed is further or newer: ${path}`);
  }
  if (groups.length) return groups;
  const names = [...new Set((await Promise.all(folders.map(progressOf))).flat().flatMap(Object.keys))];
  throw new ArgumentError(
    metric === RETURN
      ? 'diffrl: none of these runs has an evaluation yet.'
      : `diffrl: none of these runs has '${metric}'${nearest(metric, names)}; there are ${names.join(', ')}.`,
  );
}

function span({ estimate, low, high }: Interval, runs: number): string {
  return runs > 1 ? `${brief(estimate)} [${brief(low)}, ${brief(high)}]` : brief(estimate);
}
