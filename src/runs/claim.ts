import { join } from 'node:path';
import { DiffrlError } from '../errors.js';
import { ownerOf, takeMark } from '../files/mark.js';

/** Somebody else works on the run. */
export class RunBusyError extends DiffrlError {
  override name = 'RunBusyError';
}

/**
 * Marks the run in `folder` as worked on by this process, until the function returned is called.
 *
 * A mark of a process that is gone is taken over: one of this machine that no longer runs, one of another machine that
 * has not been heard of for five minutes, and that of the same Slurm task before it was requeued. Of several that try, one gets it.
 *
 * @throws RunBusyError naming the process that works on it, which may be this one
 */
export async function claim(folder: string): Promise<() => Promise<void>> {
  for (;;) {
    const release = await takeMark('claim', join(folder, MARK), SIGNS);
    if (release) return release;
    const owner = await ownerOf('claim', join(folder, MARK), SIGNS);
    if (owner) throw new RunBusyError(`'${folder}' is being worked on by ${owner}. Wait for it, or end it.`);
  }
}

/** Whether somebody works on the run in `folder` now. */
export async function isClaimed(folder: string): Promise<boolean> {
  return (await ownerOf('isClaimed', join(folder, MARK), SIGNS)) !== undefined;
}

const MARK = '.working';
const SIGNS = { pulse: 20_000, lifetime: 300_000 };
