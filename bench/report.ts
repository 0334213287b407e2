/**
 * Redraws every table and figure that stands on `results/`: `npx tsx bench/report.ts`.
 *
 * A table stands between `<!-- results: NAME -->` and `<!-- end of results -->` in README and guides, a figure in
 * `docs/images/results-NAME-TASK.svg`; NAME is an experiment or a comparison (`results/comparisons.yaml`). With `--check`
 * nothing is written, and the exit code is 1 where a file differs from what `results/` gives.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figure, line, mean, type PlotLayer, palette, scatter } from 'diffrl';
import { fileName } from '../src/runs/folder.js';
import {
  agents,
  comparisons,
  type Group,
  groupsOf,
  iqmAt,
  type Published,
  publishedOf,
  returnsAt,
  sharedSteps,
} from './results.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Most columns of a table. */
const COLUMNS = 5;

/** Every file that stands on `results/`, as it should read: pages, and the figures that they show. */
export function reports(): Map<string, string> {
  const files = new Map(pages().map((path) => [path, withTables(readFileSync(path, 'utf8'))]));
  const text = [...files.values()].join();
  for (const name of [...experimentNames(), ...Object.keys(comparisons)]) {
    for (const task of new Set(groupsOf(name).map((group) => group.task))) {
      const path = `docs/images/results-${name}-${fileName(task)}.svg`;
      if (text.includes(basename(path))) files.set(`${root}${path}`, curves(name, task));
    }
  }
  return files;
}

function experimentNames(): string[] {
  const entries = readdirSync(`${root}results`, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

function pages(): string[] {
  const guides = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md'));
  return [`${root}README.md`, `${root}results/README.md`, ...guides.map((name) => `${root}docs/${name}`)];
}

/** `text` with the tables of {@link table} between its markers. */
function withTables(text: string): string {
  const marked = /(<!-- results: (\S+) -->\n)[\s\S]*?(<!-- end of results -->)/g;
  return text.replace(marked, (_, start, name, end) => `${start}${table(name)}${end}`);
}

/** A row for each agent and task, and one for each published curve of the task; a comparison has entropies in place of those. */
export function table(name: string): string {
  const groups = groupsOf(name);
  const steps = columnsOf(groups);
  const isComparison = name in comparisons;
  const rows = [...new Set(groups.map(({ task }) => task))].flatMap((task) => [
    ...groups.filter((group) => group.task === task).map((group) => measuredRow(group, steps)),
    ...(isComparison ? [] : publishedAt(task, steps).map(([name, curve]) => publishedRow(task, name, curve, steps))),
  ]);
  const entropy = isComparison ? ['entropy bound'] : [];
  const heads = ['task', 'agent', 'seeds', 'updates a step', ...steps.map(thousands), 'worst', ...entropy, 'minutes'];
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/** The last step that all have, and those a fraction of it. */
export function columnsOf(groups: readonly Group[]): number[] {
  const [first = [], ...others] = groups.map(sharedSteps);
  const steps = first.filter((step) => others.every((other) => other.includes(step)));
  const stride = Math.max(1, Math.ceil(steps.length / COLUMNS));
  return steps.filter((_, i) => (steps.length - 1 - i) % stride === 0);
}

function measuredRow(group: Group, steps: readonly number[]): string[] {
  const last = steps.at(-1);
  const values = steps.map((step) => {
    const { estimate, low, high } = iqmAt(group, step);
    return step === last && group.runs.length > 1
      ? `**${rounded(estimate)}** (${rounded(low)} ... ${rounded(high)})`
      : rounded(estimate);
  });
  const [first] = group.runs;
  const worst = last === undefined ? '' : rounded(Math.min(...returnsAt(group, last)));
  const minutes = mean(group.runs.map(({ seconds }) => seconds)) / 60;
  return [
    group.task,
    labelOf(group),
    `${group.runs.length}`,
    `${first!.updatesPerTransition ?? ''}`,
    ...values,
    worst,
    ...(group.variant ? [mean(group.runs.map(({ metrics }) => metrics['policy/entropyBound']!)).toFixed(1)] : []),
    minutes.toFixed(0),
  ];
}

/** Published curves with a figure at one of `steps`. */
function publishedAt(task: string, steps: readonly number[]): [agent: string, curve: Published][] {
  return publishedOf(task).filter(([, { points }]) => points.some(({ step }) => steps.includes(step)));
}

function publishedRow(task: string, name: string, { points }: Published, steps: readonly number[]): string[] {
  const values = steps.map((step) => points.find((point) => point.step === step));
  const last = values.at(-1);
  return [
    task,
    `${displayName(name)}, published`,
    `${points[0]!.n}`,
    '',
    ...values.map((point) => (point ? rounded(point.iqm) : '')),
    last ? rounded(last.min) : '',
    '',
  ];
}

/** Curves on `task`: IQM and interval of each agent; but for comparisons over published IQMs with their range over seeds. */
export function curves(name: string, task: string): string {
  const groups = groupsOf(name).filter((group) => group.task === task);
  const last = Math.max(...groups.flatMap(sharedSteps));
  const others =
    name in comparisons ? [] : publishedOf(task).flatMap(([name, curve], i) => publishedCurve(name, curve, last, i));
  return figure([...others, ...groups.map(measuredCurve)], {
    title: task,
    xLabel: 'environment steps',
    yLabel: 'return',
    x: [0, last],
  }).svg;
}

function measuredCurve(group: Group): PlotLayer {
  const steps = sharedSteps(group);
  const intervals = steps.map((step) => iqmAt(group, step));
  return line({
    x: steps,
    y: intervals.map(({ estimate }) => estimate),
    band: { low: intervals.map(({ low }) => low), high: intervals.map(({ high }) => high) },
    label: labelOf(group),
    color: group.variant ? undefined : palette[agents.indexOf(group.agent)], // the same in all figures
  });
}

const GREYS = ['#9aa0a6', '#b8a27a', '#7d8590', '#a9b7c6'];

function publishedCurve(name: string, { points }: Published, last: number, i: number): PlotLayer[] {
  const shown = points.filter(({ step }) => step <= last);
  const [x, y] = [shown.map(({ step }) => step), shown.map(({ iqm }) => iqm)];
  const color = GREYS[i % GREYS.length];
  return [
    line({
      ...{ x, y, color, dashed: true, label: `${displayName(name)}, published` },
      band: { low: shown.map(({ min }) => min), high: shown.map(({ max }) => max) },
    }),
    scatter({ x, y, color, radius: 3 }),
  ];
}

const NAMES: Record<string, string> = {
  crossq: 'CrossQ',
  diffsac: 'DiffSAC',
  diffwpo: 'DiffWPO',
  diffppo: 'DiffPPO',
  bro_utd2: 'BRO (2 updates)',
};

function labelOf({ agent, variant }: Group): string {
  return variant ? `${displayName(agent)}, ${variant}` : displayName(agent);
}

function displayName(agent: string): string {
  return NAMES[agent] ?? agent.toUpperCase();
}

function rounded(value: number): string {
  return value.toFixed(0);
}

function thousands(step: number): string {
  return `${step / 1000}k`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const stale = [...reports()].filter(([path, text]) => !existsSync(path) || readFileSync(path, 'utf8') !== text);
  for (const [path, text] of stale) {
    console.log(path.slice(root.length));
    if (!process.argv.includes('--check')) writeFileSync(path, text);
  }
  if (process.argv.includes('--check') && stale.length) process.exitCode = 1;
}
