import { requirePath } from '../../files/fileErrors.js';
import { appendToFile, writeFileAtomically } from '../../files/files.js';
import { nodeModule } from '../../files/nodeModules.js';
import type { TrainingCallback } from '../callback.js';
import { encodeEvent } from './eventFile.js';
import { type LogOptions, rowLog } from './rowLog.js';

/**
 * Writes the rows of {@link csvLog} as scalars to an event file in `folder`, which `tensorboard --logdir folder` shows
 * while training runs. A resumed run adds a file; TensorBoard drops what was written after the step it resumes from.
 */
export function tensorBoardLog(folder: string, options: LogOptions = {}): TrainingCallback {
  requirePath(WHERE, folder, 'folder');
  return rowLog(WHERE, options, async (run) => {
    const path = nodeModule(WHERE, 'node:path').join(folder, fileName());
    const header = [encodeEvent({ wallTime: now(), fileVersion: 'brain.Event:2' })];
    if (run.step > 0) header.push(encodeEvent({ wallTime: now(), step: run.step + 1, restarts: true }));
    await writeFileAtomically(WHERE, path, header);
    return {
      add: ({ step, ...scalars }) => appendToFile(WHERE, path, encodeEvent({ wallTime: now(), step, scalars })),
    };
  });
}

const WHERE = 'tensorBoardLog';

function now(): number {
  return Date.now() / 1000;
}

/** Sorted by time, which is the order in which TensorBoard reads the files of a folder. */
function fileName(): string {
  return `events.out.tfevents.${now().toFixed(3).padStart(14, '0')}.${process.pid}.diffrl`;
}
