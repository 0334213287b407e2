import { requireInteger } from '../../errors.js';
import { requirePath } from '../../files/fileErrors.js';
import type { TrainingCallback } from '../callback.js';

export interface CheckpointsOptions {
  /** Folder of the checkpoint; each one replaces the one before. */
  path: string;
  /** Environment steps between two checkpoints. Default 10,000. */
  every?: number;
}

/**
 * Keeps a checkpoint of agent and run that `train({ resume: path })` goes on from bit for bit; agents load it like one
 * of their own. Another one is written when training has finished or was aborted, none when it failed.
 */
export function checkpoints({ path, every = 10_000 }: CheckpointsOptions): TrainingCallback {
  requirePath('checkpoints', path);
  requireInteger('checkpoints', 'every', every, { min: 1 });
  return {
    async onStepEnd(run) {
      if (run.isDue(every)) await run.save(path);
    },
    async onEnd(run, outcome) {
      if (outcome !== 'failed' && !run.isDue(every)) await run.save(path);
    },
  };
}
