import { relative } from 'node:path';
import { executeRun } from '../runs/execute.js';
import type { RunFolder, RunStatus } from '../runs/folder.js';
import { createRun } from '../runs/prepare.js';
import type { RunSettings } from '../runs/settings.js';
import { progressBar } from '../training/callbacks/progressBar.js';
import { INTERRUPTED, interruption } from './interruption.js';
import { brief, describeError, duration } from './print.js';

/** One run for each seed. */
export async function trainRuns(
  settings: RunSettings,
  seeds: readonly number[],
  { runs, jobs }: { runs: string; jobs: number },
): Promise<void> {
  const folders: RunFolder[] = [];
  for (const seed of seeds) folders.push(await createRun('diffrl train', runs, { ...settings, seed }));
  if (jobs === 1) {
    for (const folder of folders) {
      if (!interruption.aborted) await trainHere(folder).catch((error) => tellFailure(folder, error));
    }
  } else {
    const { workThrough } = await import('../runs/sweep/pool.js');
    const { liveView } = await import('./liveView.js');
    const view = liveView(folders);
    try {
      await workThrough(folders, { jobs, signal: interruption });
    } finally {
      await view.end();
    }
    await tellFailures(folders);
  }
  if (!interruption.aborted) return;
  const open = [];
  for (const folder of folders) if ((await folder.status()).state !== 'finished') open.push(shown(folder));
  if (!open.length) return;
  process.exitCode = INTERRUPTED;
  console.log(`Interrupted. Go on with: diffrl resume ${open.join(' ')}`);
}

/** The view has told of runs that failed, not of those whose processes could not say so. */
async function tellFailures(folders: readonly RunFolder[]): Promise<void> {
  for (const folder of folders) {
    const { state, error } = await folder.status();
    if (error === undefined) continue;
    process.exitCode = 1;
    if (state !== 'failed') console.log(`${shown(folder)}: ${error}`);
  }
}

/** Works on the run in this process, with a progress bar. */
export async function trainHere(folder: RunFolder, steps?: number): Promise<RunStatus> {
  const { settings, task, resolved } = await folder.config();
  const before = await folder.status();
  console.log(`${settings.agent} on ${task.id}, seed ${settings.seed}: ${shown(folder)}`);
  if (before.state === 'new') for (const source of resolved.sources) console.log(`  ${settings.preset}: ${source}`);
  if (before.step > 0) console.log(`  goes on from its latest checkpoint`);
  const status = await executeRun(folder, {
    signal: interruption,
    callbacks: [progressBar()],
    ...(steps && { steps }),
  });
  if (status.state === 'finished') console.log(`  ${summary(status)}`);
  return status;
}

function summary({ step, seconds, evaluation, stopped }: RunStatus): string {
  return [
    `${step.toLocaleString('en')} steps in ${duration(seconds)}`,
    evaluation && `last evaluation ${brief(evaluation.mean)} ± ${brief(evaluation.std)}`,
    stopped && `stopped: ${stopped}`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** Prints why a run failed, so that the others can go on. */
export function tellFailure(folder: RunFolder, error: unknown): void {
  process.exitCode = 1;
  console.error(`${shown(folder)}: ${describeError(error)}`);
}

/** The folder as one would write it here. */
export function shown(folder: RunFolder): string {
  const path = relative(process.cwd(), folder.path);
  return path.startsWith('..') ? folder.path : path;
}
