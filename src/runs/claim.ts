import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DiffrlError } from '../errors.js';

/** Somebody else works on the run. */
export class RunBusyError extends DiffrlError {
  override name = 'RunBusyError';
}

/**
 * Marks the run in `folder` as worked on by this process, until the function returned is called.
 *
 * A mark of a process that is gone is taken over: one of this machine that no longer runs, one of another machine that
 * has not been heard of for five minutes, and that of the same Slurm task, which was requeued.
 *
 * @throws RunBusyError naming the process that works on it
 */
export async function claim(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, MARK);
  while (!(await mark(path))) {
    const owner = await ownerOf(path);
    if (owner) throw new RunBusyError(`'${folder}' is being worked on by ${owner}. Wait for it, or end it.`);
    await rm(path, { force: true });
  }
  const pulse = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, PULSE);
  pulse.unref();
  return async () => {
    clearInterval(pulse);
    await rm(path, { force: true });
  };
}

/** Whether somebody works on the run in `folder` now. */
export async function isClaimed(folder: string): Promise<boolean> {
  return (await ownerOf(join(folder, MARK))) !== undefined;
}

const MARK = '.working';
const PULSE = 20_000;
const LIFETIME = 300_000;

function slurmTask(): string {
  const { SLURM_ARRAY_JOB_ID: job, SLURM_ARRAY_TASK_ID: task } = process.env;
  return job ? `${job}_${task}` : '-';
}

/** Makes the mark; `false` if there is one. */
async function mark(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(`${process.pid} ${hostname()} ${slurmTask()}\n`);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Who works on it, if somebody does. */
async function ownerOf(path: string): Promise<string | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    if (Date.now() - mtimeMs > LIFETIME) return undefined;
    const [pid, host, task] = text.trim().split(' ') as [string, string?, string?];
    if (host === undefined) return Date.now() - mtimeMs > 1000 ? undefined : 'a process that is just starting';
    if (task !== '-' && task === slurmTask()) return undefined;
    if (host === hostname() && (Number(pid) === process.pid || !isAlive(Number(pid)))) return undefined;
    return `process ${pid} on ${host}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
