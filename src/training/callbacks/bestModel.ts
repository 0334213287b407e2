import { requirePath } from '../../files/fileErrors.js';
import type { TrainingCallback } from '../callback.js';
import type { TrainingRun } from '../trainingRun.js';

/**
 * Keeps a checkpoint of the agent with the best evaluation so far in the folder `path`: of equal ones the first.
 * Comes after {@link evaluation} in the list of callbacks.
 */
export function bestModel(path: string): TrainingCallback {
  requirePath('bestModel', path);
  return {
    async onStepEnd(run) {
      if (isNewBest(run)) await run.save(path);
    },
  };
}

/** Whether this step made an evaluation, and it is better than all before it. */
function isNewBest({ history, step }: TrainingRun): boolean {
  const [newest, ...before] = history.evaluations.toReversed();
  return newest?.step === step && before.every(({ mean }) => mean < newest.mean);
}
