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

/** Runs that differ in their seeds only, or in how long they are and how often they are looked at. */
export interface RunGroup {
  /** The agent, and what distinguishes its settings from those of its other groups. */
  label: string;
  /** All settings that count, the task's name apart: groups of one variant are of the same agent on several tasks. */
  variant: string;
  task: string;
  seeds: number[];
  curves: Curve[];
  /** Before this step the shortest of its runs ends, or is so far. */
  end: number;
  /** Paths of runs whose seed got further in another one, or as far in a newer one. */
  leftOut: string[];
}

/** A group's final results on one task. */
export interface GroupScore {
  group: RunGroup;
  /** Last values, a run each; where some runs are longer or further, those up to the end of the shortest. */
  scores: number[];
  /** Step of these values, the first where they differ. */
  step: number;
  /** Interquartile mean with a 95 % interval; without an interval for a single run. */
  iqm: Interval;
}

/** The metric of evaluations. */
export const RETURN = 'evaluation/return';

/** Runs with results, one for each seed, in groups by task, agent and settings. @param metric a logged name, default the evaluations' return */
export async function groupRuns(folders: readonly RunFolder[], metric = RETURN): Promise<RunGroup[]> {
  const different = new Map(folders.map((folder) => [folder.path, folder]));
  const found = await Promise.all([...different.values()].map((folder) => read(folder, metric)));
  const runs = withEnvs(found.filter(({ curve }) => curve.step.length > 0));
  const keyOf = (run: Run) => JSON.stringify([run.task, variantOf(run)]);
  return [...new Set(runs.map(keyOf))].map((key) => {
    const all = runs.filter((run) => keyOf(run) === key);
    const own = onePerSeed(all);
    const [{ agent, task, settings }] = own as [Run];
    const rivals = runs.filter((run) => run.agent === agent).map((run) => run.settings);
    return {
      label: labelOf(agent, settings, rivals),
      variant: variantOf({ settings }),
      task,
      seeds: own.map(({ seed }) => seed),
      curves: own.map(({ curve }) => curve),
      end: Math.min(...own.map(({ end }) => end)),
      leftOut: all.filter((run) => !own.includes(run)).map(({ path }) => path),
    };
  });
}

/** Of runs of the same seed the furthest, and the newest of those. */
function onePerSeed(runs: readonly Run[]): Run[] {
  const ranked = [...runs].sort((a, b) => lastStep(b) - lastStep(a) || (a.created < b.created ? 1 : -1));
  return runs.filter((run) => ranked.find(({ seed }) => seed === run.seed) === run);
}

interface Run {
  path: string;
  created: string;
  task: string;
  env: string;
  /** For people; modules may share it. */
  agent: string;
  seed: number;
  end: number;
  /** By path. */
  settings: Record<string, string>;
  curve: Curve;
}

async function read(folder: RunFolder, metric: string): Promise<Run> {
  const { settings, task, resolved, created } = await folder.config();
  const { env, seed, steps, threads, evaluationEvery, checkpointEvery, logEvery, filmEvery, ...counting } = settings;
  const { state, steps: planned } = await folder.status();
  const curve = await curveOf(folder, metric);
  return {
    path: folder.path,
    created,
    task: task.id,
    env,
    agent: fileName(settings.agent),
    seed,
    end: state === 'finished' ? planned + resolved.envs : lastStep({ curve }) + 1,
    settings: flat(counting as unknown as JsonObject),
    curve,
  };
}

function lastStep({ curve }: Pick<Run, 'curve'>): number {
  return curve.step.at(-1) ?? 0;
}

function variantOf({ settings }: Pick<Run, 'settings'>): string {
  return JSON.stringify(Object.entries(settings).sort());
}

/** An environment counts where a task has several: modules may give it the same name. */
function withEnvs(runs: readonly Run[]): Run[] {
  const several = (task: string) => new Set(runs.filter((run) => run.task === task).map(({ env }) => env)).size > 1;
  return runs.map((run) => (several(run.task) ? { ...run, settings: { ...run.settings, env: run.env } } : run));
}

/** Final results, task by task, the best first. */
export function scoresOf(groups: readonly RunGroup[]): GroupScore[] {
  const tasks = [...new Set(groups.map(({ task }) => task))];
  return tasks.flatMap((task) => {
    const own = groups.filter((group) => group.task === task).map(scoreOf);
    return own.sort((a, b) => b.iqm.estimate - a.iqm.estimate);
  });
}

/** Of each two variants with runs on the same tasks, several on some, how probable it is that the first is better. */
export function improvements(
  scores: readonly GroupScore[],
): { first: string; second: string; tasks: number; probability: Interval }[] {
  const variants = new Map(scores.map(({ group }) => [group.variant, group.label]));
  const of = (variant: string, task: string) =>
    scores.find(({ group }) => group.variant === variant && group.task === task)?.scores;
  return [...variants.keys()].flatMap((a, i, all) =>
    all.slice(i + 1).flatMap((b) => {
      const tasks = [...new Set(scores.map(({ group }) => group.task))].filter((task) => of(a, task) && of(b, task));
      if (!tasks.length) return [];
      const [first, second] = [a, b].map((variant) => tasks.map((task) => of(variant, task)!));
      if ([...first!, ...second!].every((runs) => runs.length === 1)) return [];
      const probability = probabilityOfImprovement(first!, second!);
      return [{ first: variants.get(a)!, second: variants.get(b)!, tasks: tasks.length, probability }];
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
  const last = group.curves.map((curve) => lastBefore(group.end, curve));
  const scores = last.map(({ value }) => value);
  const iqm = interquartileMean(scores);
  return {
    group,
    scores,
    step: Math.min(...last.map(({ step }) => step)),
    iqm: scores.length > 1 ? stratifiedBootstrap([scores]) : { estimate: iqm, low: iqm, high: iqm },
  };
}

/** The last value before `end`, or the first one if there is none. */
function lastBefore(end: number, { step, value }: Curve): { step: number; value: number } {
  const last = Math.max(
    step.findLastIndex((at) => at < end),
    0,
  );
  return { step: step[last] as number, value: value[last] as number };
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

function labelOf(agent: string, settings: Record<string, string>, rivals: readonly Record<string, string>[]): string {
  const names = [...new Set(rivals.flatMap(Object.keys))].sort();
  const differing = names.filter((name) => rivals.some((rival) => rival[name] !== settings[name]));
  const told = differing.map((name) => {
    return `${name.replace(/^options\./, '')} ${settings[name]?.replaceAll('"', '') ?? 'default'}`;
  });
  return [agent, ...told].join(', ');
}
