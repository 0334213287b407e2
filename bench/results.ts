/** The record of runs: `results/<experiment>/<agent>__<task>__<seed>.json`, written by `bench/learning.ts` and only added to. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Interval, stratifiedBootstrap } from 'diffrl';
import { parse } from 'yaml';
import { fileName } from '../src/runs/folder.js';

/** One run from its start to its last step. */
export interface Result {
  agent: string;
  task: string;
  seed: number;
  /** Gradient updates per environment transition; `null` for agents without replay, which have no such ratio. */
  updatesPerTransition: number | null;
  /** Environments side by side. */
  envs: number;
  /** The agent's options: the preset's, and what the experiment gives over them. */
  options: Record<string, unknown>;
  commit: string;
  versions: Record<string, string>;
  machine: string;
  /** Wall time, evaluations and all; of a machine that may have had other work. */
  seconds: number;
  evaluations: { step: number; mean: number; std: number; episodes: number }[];
  /** Of the last update. */
  metrics: Record<string, number>;
}

/** Figures of others at equal environment steps, with their sources. */
export interface Published {
  source: string;
  /** The version of the task that they are of. */
  task: string;
  points: { step: number; iqm: number; min: number; max: number; n: number }[];
}

const folder = fileURLToPath(new URL('../results', import.meta.url));

const anchors = JSON.parse(readFileSync(join(folder, 'published.json'), 'utf8')) as Record<
  string,
  Record<string, Published>
>;

/** Published curves of `task` by the names of their agents. */
export function publishedOf(task: string): [agent: string, curve: Published][] {
  return Object.entries(anchors[task.replace('dm_control/', '')] ?? {});
}

export function resultPath(experiment: string, { agent, task, seed }: Pick<Result, 'agent' | 'task' | 'seed'>): string {
  return join(folder, experiment, `${agent}__${fileName(task)}__${seed}.json`);
}

/** @throws Error if there is such a result already: runs are added, never replaced */
export function writeResult(experiment: string, result: Result): void {
  const path = resultPath(experiment, result);
  mkdirSync(join(folder, experiment), { recursive: true });
  writeFileSync(path, `${JSON.stringify(result, undefined, 1)}\n`, { flag: 'wx' });
}

/** Experiments (or one agent of one: `diffsac of halfcheetah-50k`) side by side, by what each is called in the comparison. */
export const comparisons = parse(readFileSync(join(folder, 'comparisons.yaml'), 'utf8')) as Record<
  string,
  Record<string, string>
>;

/** Every run of `experiment`, in the order of their names. */
function readResults(experiment: string): Result[] {
  const path = join(folder, experiment);
  if (!existsSync(path)) return [];
  const names = readdirSync(path).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => JSON.parse(readFileSync(join(path, name), 'utf8')) as Result);
}

/** All runs of one agent on one task. */
export interface Group {
  agent: string;
  /** What is particular about them, in a comparison. */
  variant?: string;
  task: string;
  runs: Result[];
}

/** In the order of rows and curves. */
export const agents: readonly string[] = [
  'dime',
  'sdac',
  'dpmd',
  'diffsac',
  'diffwpo',
  'diffppo',
  'ppo',
  'crossq',
  'sac',
];

/** The runs of each agent on each task in an experiment, or in each of those that a comparison names. */
export function groupsOf(name: string): Group[] {
  const variants = Object.entries(comparisons[name] ?? {});
  if (!variants.length) return grouped(readResults(name));
  return variants.flatMap(([variant, source]) => {
    const [, agent, experiment] = /^(?:(\S+) of )?(\S+)$/.exec(source)!;
    const runs = readResults(experiment!).filter((run) => !agent || run.agent === agent);
    return grouped(runs).map((group) => ({ ...group, variant }));
  });
}

function grouped(results: readonly Result[]): Group[] {
  const groups = new Map<string, Group>();
  for (const run of results) {
    const { agent, task } = run;
    const key = `${agent} ${task}`;
    if (!groups.has(key)) groups.set(key, { agent, task, runs: [] });
    groups.get(key)!.runs.push(run);
  }
  return [...groups.values()].sort((a, b) => agents.indexOf(a.agent) - agents.indexOf(b.agent));
}

/** The steps at which every run was evaluated. */
export function sharedSteps({ runs }: Group): number[] {
  const [first, ...others] = runs.map((run) => run.evaluations.map(({ step }) => step));
  return (first ?? []).filter((step) => others.every((steps) => steps.includes(step)));
}

/** The returns of all runs at `step`. */
export function returnsAt({ runs }: Group, step: number): number[] {
  return runs.flatMap(({ evaluations }) => evaluations.filter((one) => one.step === step).map(({ mean }) => mean));
}

/** IQM over seeds at `step` with its 95 % stratified-bootstrap interval; of one seed, its return. */
export function iqmAt(group: Group, step: number): Interval {
  const returns = returnsAt(group, step);
  const [only] = returns;
  if (only !== undefined && returns.length === 1) return { estimate: only, low: only, high: only };
  return stratifiedBootstrap([returns]);
}
