import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { freemem } from 'node:os';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { requireInteger } from '../../errors.js';
import { settled } from '../../settled.js';
import { isClaimed } from '../claim.js';
import type { RunFolder } from '../folder.js';
import { here } from '../here.js';
import { INTERRUPTED } from '../interrupted.js';

export interface PoolOptions {
  /** Runs at the same time, >= 1. */
  jobs: number;
  /** MiB that a run is expected to take; default: the most that one of these runs took so far. */
  memoryMiB?: number;
  /** Pause every run at this step. */
  until?: number;
  /** Interrupts all runs, which save, and starts no more. */
  signal?: AbortSignal;
}

/**
 * Works through runs in processes of their own, as many at a time as `jobs` and the free memory allow. A process that
 * crashed, was killed or interrupted by others is started again while its run gets on. What runs print goes to `output.log` in their folders.
 */
export async function workThrough(folders: readonly RunFolder[], options: PoolOptions): Promise<void> {
  const { signal } = options;
  const jobs = requireInteger('workThrough', 'jobs', options.jobs, { min: 1 });
  const queue = [...folders];
  const memory = new MemoryGuard(options.memoryMiB);
  const lane = async () => {
    for (let folder = queue.shift(); folder && !signal?.aborted; folder = queue.shift()) {
      await memory.waitForRoom(signal);
      if (!signal?.aborted) await workOn(folder, options, memory);
    }
  };
  // A lane that fails leaves no process of the others behind: they work on, and what it threw is thrown at the end.
  await settled(Array.from({ length: Math.min(jobs, folders.length) }, lane));
}

/** How often in a row the process of a run may die without having got on; then it is left to the next call. */
const PATIENCE = 3;

async function workOn(folder: RunFolder, options: PoolOptions, memory: MemoryGuard): Promise<void> {
  let [fruitless, step] = [0, (await folder.status()).step];
  while (!options.signal?.aborted) {
    await othersAreDone(folder, options.signal);
    const death = await startAndWait(folder, options, memory);
    const status = await folder.status();
    const isOpen = status.state === 'interrupted' || status.state === 'new';
    if (!isOpen || options.signal?.aborted) return;
    // A process that was asked to stop has saved; one that dies again and again may be too large for this machine.
    if (death) fruitless = status.step > step ? 1 : fruitless + 1;
    step = Math.max(step, status.step);
    if (fruitless < PATIENCE) continue;
    const error = `Its process was ended by ${death} ${PATIENCE} times without getting on; is there enough memory? See output.log.`;
    return folder.writeStatus({ ...status, state: 'interrupted', error });
  }
}

/** A run that a process of an earlier sweep still works on is left to it. */
async function othersAreDone(folder: RunFolder, signal?: AbortSignal): Promise<void> {
  while (!signal?.aborted && (await isClaimed(folder.path))) await sleep(1000, undefined, { signal }).catch(() => {});
}

/** Resolves to what ended the process, unless it has saved. */
async function startAndWait(folder: RunFolder, options: PoolOptions, memory: MemoryGuard): Promise<string | undefined> {
  const log = openSync(folder.file('output.log'), 'a');
  const until = options.until === undefined ? [] : ['--until', String(options.until)];
  const child = spawn(process.execPath, [...command(), 'work', folder.path, ...until], {
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  // By message, since a signal ends a process of Windows before it can save.
  const interrupt = () => child.send('SIGTERM', (error) => error && child.kill('SIGTERM'));
  options.signal?.addEventListener('abort', interrupt, { once: true });
  const leave = memory.enter(child);
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code, killedBy) => {
        resolve(code === INTERRUPTED ? undefined : (killedBy ?? `exit code ${code}`));
      });
    });
  } finally {
    leave();
    options.signal?.removeEventListener('abort', interrupt);
    memory.note((await folder.status()).memoryMiB);
  }
}

/** The arguments of Node with which the program `diffrl` runs, as it is running now. */
export function command(): string[] {
  const built = join(here, '..', 'cli', 'main.js');
  const program = existsSync(built) ? built : join(here, '..', 'cli', 'main.ts');
  const tsx = () => pathToFileURL(createRequire(program).resolve('tsx')).href;
  const reader = extname(program) === '.ts' ? ['--import', tsx()] : [];
  return [...reader, program];
}

/** Keeps runs from being started that would not fit into the memory that is free. */
class MemoryGuard {
  private readonly running = new Set<ChildProcess>();
  private readonly entered = new Map<ChildProcess, number>();
  private largest: number;

  constructor(private readonly expected?: number) {
    this.largest = expected ?? 0;
  }

  /** Waits until the largest run so far fits beside those that are running and may still grow; the first never waits. */
  async waitForRoom(signal?: AbortSignal): Promise<void> {
    while (!signal?.aborted && this.running.size > 0 && freemem() / 2 ** 20 < this.needed()) {
      await sleep(1000, undefined, { signal }).catch(() => {});
    }
  }

  enter(child: ChildProcess): () => void {
    this.running.add(child);
    this.entered.set(child, Date.now());
    return () => {
      this.running.delete(child);
      this.entered.delete(child);
    };
  }

  note(memoryMiB = 0): void {
    if (this.expected === undefined) this.largest = Math.max(this.largest, memoryMiB);
  }

  /** For one more, and for those that have started in the last half minute and do not have theirs yet. */
  private needed(): number {
    const young = [...this.entered.values()].filter((time) => Date.now() - time < 30_000).length;
    return this.largest * (1 + young);
  }
}
