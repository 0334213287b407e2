import { requireInteger, requireNumber } from '../../errors.js';
import { requireOptions } from '../../options.js';
import type { TrainingCallback } from '../callback.js';

/** Stops training once an evaluation's mean return reaches `threshold`. */
export function stopAtReturn(threshold: number): TrainingCallback {
  requireNumber('stopAtReturn', 'threshold', threshold);
  return {
    onEvaluation(run, { mean }) {
      if (mean >= threshold) run.stop(`an evaluation reached ${mean.toFixed(1)}, ${threshold} was asked for`);
    },
  };
}

export interface StopWithoutImprovementOptions {
  /** Evaluations in a row without a better one, >= 1. */
  evaluations: number;
  /** By how much an evaluation must be better to count, >= 0. Default 0. */
  minChange?: number;
  /** Environment steps during which nothing is stopped, >= 0. Default 0. */
  startAt?: number;
}

/** Stops training when so many evaluations in a row were not better than the best one before them. */
export function stopWithoutImprovement(options: StopWithoutImprovementOptions): TrainingCallback {
  const {
    evaluations,
    minChange = 0,
    startAt = 0,
  } = requireOptions('stopWithoutImprovement', options, { evaluations: true, minChange: true, startAt: true });
  requireInteger('stopWithoutImprovement', 'evaluations', evaluations, { min: 1 });
  requireNumber('stopWithoutImprovement', 'minChange', minChange, { min: 0 });
  requireInteger('stopWithoutImprovement', 'startAt', startAt, { min: 0 });
  return {
    onEvaluation(run) {
      const means = run.history.evaluations.map(({ mean }) => mean);
      let [best, since] = [Number.NEGATIVE_INFINITY, 0];
      for (const mean of means) [best, since] = mean > best + minChange ? [mean, 0] : [best, since + 1];
      if (run.step >= startAt && since >= evaluations) run.stop(`${since} evaluations brought nothing better`);
    },
  };
}

/** Stops training after so many seconds of this process; a resumed run has them again. */
export function stopAfter(options: { seconds: number }): TrainingCallback {
  const { seconds } = requireOptions('stopAfter', options, { seconds: true });
  requireNumber('stopAfter', 'seconds', seconds, { above: 0 });
  let end: number;
  return {
    onStart() {
      end = performance.now() + 1000 * seconds;
    },
    onStepEnd(run) {
      if (performance.now() >= end) run.stop(`${seconds} seconds are over`);
    },
  };
}
