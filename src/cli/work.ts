import { executeRun } from '../runs/execute.js';
import { RunFolder } from '../runs/folder.js';
import { requeueThisTask } from '../runs/sweep/slurm.js';
import { INTERRUPTED, interruption } from './interruption.js';

/** Works on one run; the exit status says how it ended. */
export async function work(path: string, until?: number): Promise<number> {
  const status = await executeRun(RunFolder.open(path), { signal: interruption, until });
  if (status.state !== 'interrupted') return 0;
  console.log(`${interruption.reason}: saved at step ${status.step} of ${status.steps}.`);
  if (interruption.reason === 'SIGUSR1') await requeueThisTask();
  return INTERRUPTED;
}
