import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DiffrlError, MissingPackageError } from '../../errors.js';
import { makeFolder } from '../../files/folders.js';
import type { RunFolder } from '../folder.js';
import { command } from './pool.js';

/** How tasks are asked for; names as in the sweep's file. */
export interface SlurmOptions {
  partition?: string;
  account?: string;
  /** Of each task, in Slurm's notation: `30` (minutes), `2:00:00`, `1-12:00:00`. */
  time?: string;
  /** Of each task, in Slurm's notation: `4G`. */
  memory?: string;
  /** Cores of each task, default 1. */
  cpus?: number;
  /** Tasks at the same time, default as many as fit. */
  arrayLimit?: number;
  /** Seconds before the time limit at which a task saves and is queued again, default 120. */
  signalSeconds?: number;
  /** Further options of sbatch: `--gres=gpu:1`. */
  extra?: string[];
  /** Lines of the job's script before the program starts: `module load nodejs`. */
  setup?: string[];
}

/** What the queue says of a task. */
export interface SlurmTask {
  /** `1234_5` */
  id: string;
  state: string;
  reason: string;
}

/**
 * Submits a job array, a task for each run; a task that is cut by its time limit, preempted or lost with its machine is
 * queued again and goes on.
 *
 * @param folder where the script, the list of runs and the logs go
 * @returns the number of the array
 * @throws MissingPackageError without `sbatch`, DiffrlError with what sbatch says
 */
export async function submitArray(
  folder: string,
  name: string,
  runs: readonly RunFolder[],
  options: SlurmOptions = {},
  until?: number,
): Promise<string> {
  const slurm = join(folder, 'slurm');
  await makeFolder('sweep', slurm);
  const stamp = `${Date.now()}`;
  const tasks = join(slurm, `${stamp}.tasks`);
  await writeFile(tasks, runs.map(({ path }) => `${path}\n`).join(''));
  const pause = until === undefined ? '' : ` --until ${until}`;
  const script = join(slurm, `${stamp}.sh`);
  const limit = options.arrayLimit ? `%${options.arrayLimit}` : '';
  const head = {
    ...headers(name, slurm, options),
    array: `0-${runs.length - 1}${limit}`,
  };
  const call = `work --tasks ${quoted(tasks)} --index "$SLURM_ARRAY_TASK_ID"${pause}`;
  await writeFile(script, scriptOf(head, options, call));
  return sbatch(script);
}

/** Submits the program's own call `args` as one small task that waits for the array `after`. */
export async function submitFollowUp(
  folder: string,
  name: string,
  args: readonly string[],
  after: string,
  options: SlurmOptions = {},
): Promise<string> {
  const slurm = join(folder, 'slurm');
  const script = join(slurm, `${Date.now()}-next.sh`);
  const { time, memory, cpus, extra, ...rest } = options;
  const head = { ...headers(`${name}-next`, slurm, rest), dependency: `afterany:${after}` };
  await writeFile(script, scriptOf(head, options, args.map(quoted).join(' ')));
  return sbatch(script);
}

/** The tasks of the arrays that wait or run, by run: its line in the list of tasks. */
export async function queuedTasks(arrays: readonly string[]): Promise<SlurmTask[]> {
  if (!arrays.length) return [];
  const output = await slurm('squeue', [
    '--noheader',
    '--array',
    '--jobs',
    arrays.join(','),
    '--format',
    '%i %T %r',
  ]).catch(nothingQueued);
  return output
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [id, state, ...reason] = line.trim().split(' ') as [string, string, ...string[]];
      return { id, state, reason: reason.join(' ') };
    });
}

/** What squeue fails with where nothing is queued: without a Slurm, and for finished arrays if there are no others. */
function nothingQueued(error: Error): string {
  if (error instanceof MissingPackageError || /Invalid job id/.test(error.message)) return '';
  throw error;
}

/** Puts the task that this process is back into the queue, where it is one. */
export async function requeueThisTask(): Promise<void> {
  const { SLURM_ARRAY_JOB_ID: array, SLURM_ARRAY_TASK_ID: task, SLURM_JOB_ID: job } = process.env;
  const id = array ? `${array}_${task}` : job;
  if (!id) return;
  await slurm('scontrol', ['requeue', id]);
  console.log(`Task ${id} is queued again.`);
}

function headers(name: string, folder: string, options: SlurmOptions): Record<string, string | number | undefined> {
  return {
    'job-name': name.replace(/[^\w.-]+/g, '-'),
    output: join(folder.replaceAll('%', '%%'), '%A_%a.log'),
    'open-mode': 'append', // a task that is queued again goes on in its log
    signal: `B:USR1@${options.signalSeconds ?? 120}`,
    partition: options.partition,
    account: options.account,
    time: options.time,
    mem: options.memory,
    'cpus-per-task': options.cpus,
  };
}

/** `exec`, because signals reach the script's own process only. */
function scriptOf(
  head: Record<string, string | number | undefined>,
  { extra = [], setup = [] }: SlurmOptions,
  call: string,
) {
  const given = Object.entries(head).filter(([, value]) => value !== undefined);
  const directives = [...given.map(([option, value]) => `--${option}=${inQuotes(`${value}`)}`), '--requeue', ...extra];
  const program = [process.execPath, ...command()].map(quoted).join(' ');
  return [
    '#!/usr/bin/env bash',
    ...directives.map((line) => `#SBATCH ${line}`),
    ...setup,
    `exec ${program} ${call}`,
    '',
  ].join('\n');
}

async function sbatch(script: string): Promise<string> {
  return (await slurm('sbatch', ['--parsable', script])).trim().split(';')[0] as string;
}

async function slurm(program: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(program, args)).stdout;
  } catch (cause) {
    const { code, stderr } = cause as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT') {
      throw new MissingPackageError(
        `sweep --on slurm: there is no '${program}' here; call it on a machine of the cluster.`,
        { cause },
      );
    }
    throw new DiffrlError(`sweep --on slurm: ${program} ${args.join(' ')}: ${stderr?.trim() || cause}`, { cause });
  }
}

/** As sbatch reads its lines: a backslash keeps quotes from ending a value, but not blanks. */
function inQuotes(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
