import { requirePath } from '../../files/fileErrors.js';
import type { TrainingCallback } from '../callback.js';
import { CsvTable } from './csvTable.js';
import { type LogOptions, rowLog } from './rowLog.js';

/**
 * Writes a table of the run to the file `path`: one row every so many environment steps, with `step`, `time/seconds`,
 * `time/environmentStepsPerSecond`, `time/updatesPerSecond`, `episode/count` so far, mean `episode/return` and
 * `episode/length` of the episodes that ended since the row before, the mean of each metric of the agent's updates since
 * then (`loss/critic`, `loss/actor`, `policy/temperature` ...), and `evaluation/return`, `evaluation/std`,
 * `evaluation/length` where one was made. Cells without a value are empty. A resumed run goes on in the same file from the
 * step at which it was saved.
 */
export function csvLog(path: string, options: LogOptions = {}): TrainingCallback {
  requirePath('csvLog', path);
  return rowLog('csvLog', options, (run) => CsvTable.open('csvLog', path, run.step));
}
