import { writeCheckpoint } from '../../checkpoint/checkpoint.js';
import { requireInteger } from '../../errors.js';
import { requirePath } from '../../files/fileErrors.js';
import { requireOptions } from '../../options.js';
import type { TrainingCallback } from '../callback.js';
import type { TrainingRun } from '../trainingRun.js';

export interface CheckpointsOptions {
  /** Folder of the checkpoint; each one replaces the one before. */
  path: string;
  /** Environment steps between two checkpoints. Default 10,000. */
  every?: number;
}

/**
 * Keeps a checkpoint of agent and run that `train({ resume: path })` goes on from bit for bit; agents load it like one
 * of their own. Training goes on while one is written. Another one is written when training has finished or was aborted,
 * none when it failed.
 */
export function checkpoints(options: CheckpointsOptions): TrainingCallback {
  requireOptions('checkpoints', options, { path: true, every: true });
  const { path, every = 10_000 } = options;
  requirePath('checkpoints', path);
  requireInteger('checkpoints', 'every', every, { min: 1 });
  let writing: Promise<void> = Promise.resolve();
  let written: number | undefined;
  const begin = async (run: TrainingRun) => {
    await writing;
    const checkpoint = await run.checkpoint();
    writing = writeCheckpoint(path, checkpoint);
    written = run.step;
    writing.catch(() => {}); // whoever waits for it next gets the error
  };
  return {
    onStart() {
      written = undefined;
    },
    async onStepEnd(run) {
      if (run.isDue(every)) await begin(run);
    },
    async onEnd(run, outcome) {
      await writing;
      if (outcome === 'failed' || run.step === written) return;
      await begin(run);
      await writing;
    },
  };
}
