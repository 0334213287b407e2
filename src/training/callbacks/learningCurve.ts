import { requireInteger } from '../../errors.js';
import { requirePath } from '../../files/fileErrors.js';
import { writeFileAtomically } from '../../files/files.js';
import { requireOptions } from '../../options.js';
import type { TrainingCallback } from '../callback.js';
import { plotHistory } from '../plotHistory.js';
import type { TrainingRun } from '../trainingRun.js';

export interface LearningCurveOptions {
  /** Environment steps between two drawings. Default 10,000. */
  every?: number;
  /** Default: the names of agent and environment. */
  title?: string;
}

/** Draws {@link plotHistory} into the SVG file `path` now and then and at the end. */
export function learningCurve(path: string, options: LearningCurveOptions = {}): TrainingCallback {
  requireOptions('learningCurve', options, { every: true, title: true });
  const { every = 10_000, title } = options;
  requirePath('learningCurve', path);
  requireInteger('learningCurve', 'every', every, { min: 1 });
  const draw = (run: TrainingRun) => {
    const names = `${run.agent.name} on ${run.env.id ?? run.env.constructor.name}`;
    return writeFileAtomically('learningCurve', path, plotHistory(run.history, { title: title ?? names }).svg);
  };
  return {
    async onStepEnd(run) {
      if (run.isDue(every)) await draw(run);
    },
    onEnd: draw,
  };
}
