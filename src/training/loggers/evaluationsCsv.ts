import { writeFileAtomically } from '../../files/files.js';
import { mean } from '../../stats/summary.js';
import type { TrainingCallback } from '../callback.js';
import type { EvaluationRecord } from '../history.js';
import type { TrainingRun } from '../trainingRun.js';

/**
 * Writes all evaluations of the run to the file `path`, a row each: step, mean, std, min, max, mean length, episodes, and
 * the success rate (empty where the environment gives none).
 */
export function evaluationsCsv(path: string): TrainingCallback {
  const write = ({ history }: TrainingRun) =>
    writeFileAtomically('evaluationsCsv', path, [HEADER, ...history.evaluations.map(row)].join('\n').concat('\n'));
  return { onStart: write, onEvaluation: write };
}

const HEADER = 'step,return,std,min,max,length,episodes,successRate';

function row({ step, mean: average, std, returns, lengths, successRate }: EvaluationRecord): string {
  const ends = [Math.min(...returns), Math.max(...returns)];
  return [step, average, std, ...ends, mean(lengths), returns.length, successRate].join(',');
}
