/**
 * Runs the experiments whose results stand in `results/`, and records each run that is complete.
 *
 *     npx tsx bench/learning.ts halfcheetah-50k [--jobs 2] [--agents dime,sac] [--tasks Hopper-v5] [--seeds 0,1]
 *
 * `results/NAME/experiment.yaml` is a sweep ({@link Sweep}): kill the command whenever you like and call it again, runs go on
 * from their checkpoints in `sweeps/NAME`, and what is recorded is never repeated. `npx tsx bench/report.ts` redraws tables and figures.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { RunFolder } from 'diffrl/node';
import { parse } from 'yaml';
import type { AgentClass } from '../src/agents/baseAgent.js';
import { agentClass } from '../src/agents/registry.js';
import { evaluationsOf, progressOf } from '../src/runs/results.js';
import { Sweep } from '../src/runs/sweep/sweep.js';
import { type Result, resultPath, writeResult } from './results.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    jobs: { type: 'string', default: '1' },
    agents: { type: 'string' },
    tasks: { type: 'string' },
    seeds: { type: 'string' },
  },
});
const [experiment] = positionals;
const file = (name: string) => fileURLToPath(new URL(`../results/${name}/experiment.yaml`, import.meta.url));
if (!experiment || !existsSync(file(experiment))) {
  throw new Error(`Name an experiment that has a file results/NAME/experiment.yaml, got ${experiment}.`);
}

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interruption.abort());

const sweep = Sweep.read(`sweeps/${experiment}`, parse(readFileSync(file(experiment), 'utf8')));
const asked = (list: string | undefined, value: string | number) => list?.split(',').includes(String(value)) ?? true;
sweep.plan.runs = sweep.plan.runs.filter(
  ({ settings: { agent, env: task, seed } }) =>
    asked(values.agents, agent) &&
    asked(values.tasks, task) &&
    asked(values.seeds, seed) &&
    !existsSync(resultPath(experiment, { agent, task, seed })),
);
await sweep.prepare();
await record(experiment);
let recording = Promise.resolve();
const timer = setInterval(() => {
  recording = recording.then(() => record(experiment)).catch(console.error); // the next time, or the last, may do it
}, 60_000);
try {
  await sweep.runLocally({ jobs: Number(values.jobs), signal: interruption.signal });
} finally {
  clearInterval(timer);
  await recording;
}
await record(experiment);
for (const { folder, status } of await sweep.entries()) {
  if (status.error === undefined) continue;
  process.exitCode = 1;
  const [why] = status.error.split('\n');
  console.error(`${folder.path} ${status.state} at step ${status.step}: ${why}. To try again remove the folder.`);
}

/** Writes the results of runs that are complete and were not recorded yet. */
async function record(name: string): Promise<void> {
  for (const { folder, status } of await sweep.entries()) {
    if (status.state !== 'finished') continue;
    const result = await resultOf(folder, status.seconds);
    if (existsSync(resultPath(name, result))) continue;
    writeResult(name, result);
    const last = result.evaluations.at(-1);
    console.log(`${result.agent} ${result.task} ${result.seed}: ${last?.mean.toFixed(0)} at ${last?.step}`);
  }
}

async function resultOf(folder: RunFolder, seconds: number): Promise<Result> {
  const { settings, resolved, task, versions, machine, commit } = await folder.config();
  const evaluations = await evaluationsOf(folder);
  return {
    agent: settings.agent,
    task: task.id,
    seed: settings.seed,
    updatesPerTransition: ratioOf(settings.agent, resolved.options.updatesPerTransition),
    envs: resolved.envs,
    options: resolved.options,
    commit: commit ?? 'unknown',
    versions,
    machine: `${machine.cores} x ${machine.cpu}, ${settings.threads || machine.cores} threads`,
    seconds,
    evaluations: evaluations.map(({ step, return: mean, std, episodes }) => ({ step, mean, std, episodes })),
    metrics: (await progressOf(folder)).at(-1) ?? {},
  };
}

function ratioOf(agent: string, given: unknown): number | null {
  const { options } = agentClass('bench/learning.ts', agent) as unknown as AgentClass;
  const ratio = given ?? options.updatesPerTransition?.defaultText;
  return ratio === undefined ? null : Number(ratio);
}
