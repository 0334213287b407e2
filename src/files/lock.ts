import { withFile } from './fileErrors.js';
import { makeFolder } from './folders.js';
import { nodeModule } from './nodeModules.js';

/** Name of the file that says that somebody writes to a folder. */
export const LOCK_FILE = '.lock';
/** Milliseconds between two looks at a lock that somebody else has. */
const PATIENCE = 50;
/** Milliseconds between two signs of life of a lock's owner ... */
const HEARTBEAT = 5_000;
/** ... and after how many without one it counts as dead. */
const LIFETIME = 60_000;

/**
 * Runs `use` while nobody else who takes the lock writes to the folder `path`, which is made: whoever comes second waits,
 * in this process or in another one, on this machine or on another one that shares the disk. A lock whose owner died
 * is taken over.
 *
 * @throws FileError if the folder cannot be written to
 */
export async function withLock<T>(where: string, path: string, use: () => Promise<T>): Promise<T> {
  const { resolve } = nodeModule(where, 'node:path');
  const folder = resolve(path);
  const before = queues.get(folder) ?? Promise.resolve();
  const turn = before.then(() => locked(where, folder, use));
  const settled = turn.then(
    () => {},
    () => {},
  );
  queues.set(folder, settled);
  void settled.then(() => {
    if (queues.get(folder) === settled) queues.delete(folder);
  });
  return turn;
}

/** What this process does with a folder, one after the other. */
const queues = new Map<string, Promise<void>>();

async function locked<T>(where: string, folder: string, use: () => Promise<T>): Promise<T> {
  const { rm, utimes } = nodeModule(where, 'node:fs/promises');
  const { join } = nodeModule(where, 'node:path');
  const lock = join(folder, LOCK_FILE);
  await makeFolder(where, folder);
  await withFile(where, 'write', lock, () => acquire(where, lock));
  const heart = setInterval(() => {
    const now = new Date();
    utimes(lock, now, now).catch(() => {});
  }, HEARTBEAT);
  heart.unref?.();
  try {
    return await use();
  } finally {
    clearInterval(heart);
    await rm(lock, { force: true }).catch(() => {});
  }
}

/** Makes the file `lock`, once nobody else has it. */
async function acquire(where: string, lock: string): Promise<void> {
  const { open, rm } = nodeModule(where, 'node:fs/promises');
  for (;;) {
    try {
      const file = await open(lock, 'wx');
      begun.add(lock);
      try {
        await file.writeFile(signature(where));
        begun.delete(lock);
        return;
      } finally {
        await file.close();
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (await isAbandoned(where, lock)) await rm(lock, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, PATIENCE));
  }
}

/** Locks that were made here and could not be signed. Without a signature, others' locks are about to get one. */
const begun = new Set<string>();
const token = Math.random().toString(36).slice(2);

/** Who has a lock: process, machine and, since threads share a process, this copy of the module. */
function signature(where: string): string {
  return `${globalThis.process.pid} ${nodeModule(where, 'node:os').hostname()} ${token}\n`;
}

/** Whether the owner of `lock` is gone: its process on this machine, or its signs of life. */
async function isAbandoned(where: string, lock: string): Promise<boolean> {
  const { readFile, stat } = nodeModule(where, 'node:fs/promises');
  try {
    const { mtimeMs } = await stat(lock);
    const signed = await readFile(lock, 'utf8');
    if (signed === signature(where) || (begun.has(lock) && !signed.endsWith('\n'))) return true;
    const [pid, host] = signed.split(' ');
    if (host === nodeModule(where, 'node:os').hostname() && !isAlive(Number(pid))) return true;
    return Date.now() - mtimeMs > LIFETIME;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false; // it was given back just now
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    return globalThis.process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
