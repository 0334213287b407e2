import { withFile } from './fileErrors.js';
import { makeFolder } from './folders.js';
import { takeMark } from './mark.js';
import { nodeModule } from './nodeModules.js';

/** Name of the file that says that somebody writes to a folder. */
export const LOCK_FILE = '.lock';
/** Milliseconds between two looks at a lock that somebody else has. */
const PATIENCE = 50;
const SIGNS = { pulse: 5_000, lifetime: 60_000 };

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
  const { join } = nodeModule(where, 'node:path');
  const lock = join(folder, LOCK_FILE);
  await makeFolder(where, folder);
  const release = await withFile(where, 'write', lock, () => acquire(where, lock));
  try {
    return await use();
  } finally {
    await release();
  }
}

/** Takes the mark `lock`, once nobody else has it. */
async function acquire(where: string, lock: string): Promise<() => Promise<void>> {
  for (;;) {
    const release = await takeMark(where, lock, SIGNS);
    if (release) return release;
    await new Promise((resolve) => setTimeout(resolve, PATIENCE));
  }
}
