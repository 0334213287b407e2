import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { JsonObject } from '../../agents/optionsJson.js';
import { DiffrlError } from '../../errors.js';
import { RunFolder, type RunStatus, writeJson } from '../folder.js';
import { prepareRun } from '../prepare.js';
import { survivors } from './halving.js';
import { type PlannedRun, planSweep, rungsOf, type SweepPlan } from './plan.js';
import { workThrough } from './pool.js';
import { queuedTasks, type SlurmOptions, type SlurmTask, submitArray, submitFollowUp } from './slurm.js';

/** A run of a sweep and how far it is. */
export interface SweepEntry {
  run: PlannedRun;
  folder: RunFolder;
  status: RunStatus;
  /** Its task in Slurm's queue, where it waits or runs there. */
  task?: SlurmTask;
}

/** Which runs are due, and up to which step. */
interface Due {
  entries: SweepEntry[];
  /** `undefined` for the end. */
  until?: number;
}

/** Runs that belong together: those that a file asks for, in a folder. */
export class Sweep {
  private constructor(
    readonly path: string,
    readonly plan: SweepPlan,
  ) {}

  /**
   * The sweep that `content` asks for, in the folder `path`. Nothing is written.
   *
   * @throws ArgumentError naming what the file may not hold
   */
  static read(path: string, content: JsonObject): Sweep {
    return new Sweep(resolve(path), planSweep(content));
  }

  folderOf(run: PlannedRun): RunFolder {
    return new RunFolder(join(this.path, run.name));
  }

  /**
   * Makes the folders of runs that have none yet. Of each kind of run one is tried first.
   *
   * @throws ArgumentError for a setting or an option that is not allowed; then no folder was made
   */
  async prepare(): Promise<void> {
    const missing = this.plan.runs.filter((run) => !existsSync(this.folderOf(run).file('config.json')));
    const details = new Map<string, Awaited<ReturnType<typeof tried>>>();
    for (const run of missing) {
      const kind = kindOf(run);
      if (!details.has(kind)) details.set(kind, await tried(run));
    }
    for (const run of missing) {
      await RunFolder.createAt(this.folderOf(run).path, run.settings, details.get(kindOf(run))!);
    }
  }

  /** How far all runs are. */
  async entries(): Promise<SweepEntry[]> {
    const tasks = await this.queued();
    return Promise.all(
      this.plan.runs.map(async (run) => {
        const folder = this.folderOf(run);
        const isMade = existsSync(folder.file('config.json'));
        const status: RunStatus = isMade
          ? await folder.status()
          : { state: 'new', step: 0, steps: run.settings.steps, seconds: 0, attempts: 0, updated: '' };
        return { run, folder, status, task: tasks.get(folder.path) };
      }),
    );
  }

  /** Takes failed runs up again from their latest checkpoints. */
  async retryFailed(): Promise<void> {
    for (const { folder, status } of await this.entries()) {
      if (status.state === 'failed') await folder.writeStatus({ ...status, state: 'interrupted', error: undefined });
    }
  }

  /** Works through all runs in processes of this machine. @param jobs over those of the file */
  async runLocally({ jobs, signal }: { jobs?: number; signal?: AbortSignal }): Promise<void> {
    const { local } = this.plan;
    for (let due = await this.due(); due && !signal?.aborted; due = await this.due()) {
      const { entries, until } = due;
      const folders = entries.map(({ folder }) => folder);
      await workThrough(folders, { ...local, jobs: jobs ?? local.jobs, until, signal });
      const left = await this.due();
      if (left && left.until === until && (sameRuns(left, due) || left.entries.every(isGivenUp))) break;
    }
  }

  /**
   * Submits what is due to Slurm and returns; `again` is the call of the program that submits what comes after it, where
   * runs are compared on the way.
   *
   * @returns the number of the array, and how many tasks it has; `undefined` if nothing is due that is not queued
   */
  async submit(again: readonly string[]): Promise<{ array: string; tasks: number } | undefined> {
    const due = await this.due();
    const idle = due?.entries.filter(({ task }) => task === undefined) ?? [];
    if (!due || !idle.length) return undefined;
    const name = `diffrl-${basename(this.path)}`;
    const options = this.plan.slurm as SlurmOptions;
    const folders = idle.map(({ folder }) => folder);
    const array = await submitArray(this.path, name, folders, options, due.until);
    const runs = folders.map(({ path }) => path);
    await writeJson(join(this.path, 'slurm.json'), [...(await this.arrays()), { array, runs }]);
    if (due.until !== undefined) await submitFollowUp(this.path, name, again, array, options);
    return { array, tasks: runs.length };
  }

  /** What has to be done next: runs before the next comparison, without those that failed or were left behind. */
  private async due(): Promise<Due | undefined> {
    const entries = await this.entries();
    const { halving } = this.plan;
    const open = (list: SweepEntry[], step: number) =>
      list.filter(({ status }) => !['finished', 'failed'].includes(status.state) && status.step < step);
    if (!halving) {
      const due = open(entries, Number.POSITIVE_INFINITY);
      return due.length ? { entries: due } : undefined;
    }
    let left = entries;
    for (const rung of halving ? rungNumbers(halving.rungs) : []) {
      const steps = (entry: SweepEntry) => rungsOf(entry.run.settings.steps, halving)[rung] as number;
      const due = left.filter((entry) => open([entry], steps(entry)).length > 0);
      const isLast = rung === halving.rungs - 1;
      if (due.length) return { entries: due, until: isLast ? undefined : Math.max(...due.map(steps)) };
      if (isLast) return undefined;
      left = await survivors(left, halving.factor, steps);
    }
    return undefined;
  }

  private async arrays(): Promise<{ array: string; runs: string[] }[]> {
    const text = await readFile(join(this.path, 'slurm.json'), 'utf8').catch(() => '[]');
    return JSON.parse(text);
  }

  /** Slurm's tasks by the folder of their run. */
  private async queued(): Promise<Map<string, SlurmTask>> {
    const arrays = await this.arrays();
    const tasks = await queuedTasks(arrays.map(({ array }) => array));
    const found = tasks.flatMap((task) => {
      const [array, index] = task.id.split('_') as [string, string?];
      const run = arrays.find((own) => own.array === array)?.runs[Number(index)];
      return run ? [[run, task] as const] : [];
    });
    return new Map(found);
  }
}

function rungNumbers(rungs: number): number[] {
  return Array.from({ length: rungs }, (_, i) => i);
}

function sameRuns(a: Due, b: Due): boolean {
  const names = ({ entries }: Due) => entries.map(({ run, status }) => `${run.name} ${status.step}`).join();
  return names(a) === names(b);
}

/** The pool says why. */
function isGivenUp({ status }: SweepEntry): boolean {
  return status.error !== undefined;
}

/** Runs of a kind differ in their seeds only. */
function kindOf({ settings }: PlannedRun): string {
  return JSON.stringify({ ...settings, seed: 0 });
}

/** What the configuration of a run says of its task and options, once agent and environment could be made. */
async function tried({ settings, name }: PlannedRun) {
  try {
    const { agent, environments, details } = await prepareRun('sweep', settings);
    agent.dispose();
    await environments.close();
    return details;
  } catch (cause) {
    if (cause instanceof DiffrlError) cause.message = `${name}: ${cause.message}`;
    throw cause;
  }
}
