import type { JsonObject } from '../agents/optionsJson.js';
import type { Figure } from '../plots/document.js';
import { type FigureOptions, figure, panels } from '../plots/figure.js';
import { line } from '../plots/layers/line.js';
import { type Interval, stratifiedBootstrap } from '../stats/bootstrap.js';
import { probabilityOfImprovement } from '../stats/improvement.js';
import { interquartileMean, mean } from '../stats/summary.js';
import { fileName, type RunFolder } from './folder.js';
import { evaluationsOf, progressOf } from './results.js';

/** A curve of one run. */
export interface Curve {
  step: number[];
  value: number[];
}

/** Runs that differ in their seeds only. */
export interface RunGroup {
  /** The agent, and what distinguishes its options from those of its other groups. */
  label: string;
  task: string;
  seeds: number[];
  curves: Curve[];
}

/** A group's final results on one task. */
export interface GroupScore {
  group: RunGroup;
  /** Last values, a run each. */
  scores: number[];
  /** Interquartile mean with a 95 % interval; without an interval for a single run. */
  iqm: Interval;
}

/** The metric of evaluations. */
export const RETURN = 'evaluation/return';

/** Runs with results, in groups by task, agent and options. @param metric a logged name, default the evaluations' return */
export async function groupRuns(folders: readonly RunFolder[], metric = RETURN): Promise<RunGroup[]> {
  const found = await Promise.all(
    folders.map(async (folder) => {
      const { settings, task } = await folder.config();
      const agent = fileName(settings.agent);
      const { env, agent: _, seed, threads, ...rest } = settings;
      const key = JSON.stringify([task.id, env, settings.agent, { ...rest, steps: 0 }]);
      return {
        key,
        task: task.id,
        agent,
        seed,
        options: flat({ preset: rest.preset, ...rest.options }),
        curve: await curveOf(folder, metric),
      };
    }),
  );
  const runs = found.filter(({ curve }) => curve.step.length > 0);
  return [...new Set(runs.map(({ key }) => key))].map((key) => {
    const own = runs.filter((run) => run.key === key);
    const { agent, task, options } = own[0]!;
    const rivals = runs.filter((run) => run.agent === agent).map((run) => run.options);
    return {
      label: labelOf(agent, options, rivals),
      task,
      seeds: own.map(({ seed }) => seed),
      curves: own.map(({ curve }) => curve),
    };
  });
}

/** Final results, task by task, the best first. */
export function scoresOf(groups: readonly RunGroup[]): GroupScore[] {
  const tasks = [...new Set(groups.map(({ task }) => task))];
  return tasks.flatMap((task) => {
    const own = groups.filter((group) => group.task === task).map(scoreOf);
    return own.sort((a, b) => b.iqm.estimate - a.iqm.estimate);
  });
}

/** Of each two labels with runs on the same tasks, how probable it is that the first is better. */
export function improvements(
  scores: readonly GroupScore[],
): { first: string; second: string; tasks: number; probability: Interval }[] {
  const labels = [...new Set(scores.map(({ group }) => group.label))];
  const of = (label: string, task: string) =>
    scores.find(({ group }) => group.label === label && group.task === task)?.scores;
  return labels.flatMap((first, i) =>
    labels.slice(i + 1).flatMap((second) => {
      const tasks = [...new Set(scores.map(({ group }) => group.task))].filter(
        (task) => of(first, task) && of(second, task),
      );
      if (!tasks.length) return [];
      const [a, b] = [first, second].map((label) => tasks.map((task) => of(label, task)!)) as [number[][], number[][]];
      return [{ first, second, tasks: tasks.length, probability: probabilityOfImprovement(a, b) }];
    }),
  );
}

/** Learning curves, a panel for each task: interquartile mean over seeds, with its interval where there are several. */
export function drawGroups(groups: readonly RunGroup[], options: FigureOptions = {}): Figure {
  const tasks = [...new Set(groups.map(({ task }) => task))];
  const drawn = tasks.map((task) => {
    const layers = groups.filter((group) => group.task === task).map(layerOf);
    return figure(layers, { title: task, xLabel: 'environment steps', yLabel: 'return', ...options });
  });
  return drawn.length === 1 ? drawn[0]! : panels(drawn, { columns: Math.min(drawn.length, 3) });
}

async function curveOf(folder: RunFolder, metric: string): Promise<Curve> {
  if (metric === RETURN) {
    const rows = await evaluationsOf(folder);
    return { step: rows.map(({ step }) => step), value: rows.map((row) => row.return) };
  }
  const rows = (await progressOf(folder)).filter((row) => row[metric] !== undefined);
  return { step: rows.map((row) => row.step as number), value: rows.map((row) => row[metric] as number) };
}

function scoreOf(group: RunGroup): GroupScore {
  const scores = group.curves.map(({ value }) => value.at(-1) as number);
  const iqm = interquartileMean(scores);
  return {
    group,
    scores,
    iqm: scores.length > 1 ? stratifiedBootstrap([scores]) : { estimate: iqm, low: iqm, high: iqm },
  };
}

/** Over the steps that all runs of the group have. */
function layerOf({ label, curves }: RunGroup) {
  const x = curves[0]!.step.filter((step) => curves.every((curve) => curve.step.includes(step)));
  const at = x.map((step) => curves.map((curve) => curve.value[curve.step.indexOf(step)] as number));
  const name = curves.length > 1 ? `${label} (${curves.length} seeds)` : label;
  if (curves.length === 1) return line({ x, y: at.map(mean), label: name });
  const intervals = at.map((values) => stratifiedBootstrap([values], { resamples: 500 }));
  return line({
    x,
    y: intervals.map(({ estimate }) => estimate),
    band: { low: intervals.map(({ low }) => low), high: intervals.map(({ high }) => high) },
    label: name,
  });
}

/** Options by path: `sampler.steps`. */
function flat(options: JsonObject, prefix = ''): Record<string, string> {
  return Object.assign(
    {},
    ...Object.entries(options).map(([name, value]) =>
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? flat(value, `${prefix}${name}.`)
        : { [prefix + name]: JSON.stringify(value) },
    ),
  );
}

function labelOf(agent: string, options: Record<string, string>, rivals: readonly Record<string, string>[]): string {
  const names = [...new Set(rivals.flatMap(Object.keys))].sort();
  const differing = names.filter((name) => rivals.some((rival) => rival[name] !== options[name]));
  const told = differing.map((name) => `${name} ${options[name]?.replaceAll('"', '') ?? 'default'}`);
  return [agent, ...told].join(', ');
}
