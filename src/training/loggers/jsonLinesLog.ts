import { requirePath } from '../../files/fileErrors.js';
import { appendToFile, readFileIfPresent, writeFileAtomically } from '../../files/files.js';
import type { TrainingCallback } from '../callback.js';
import { type LogOptions, type LogRow, rowLog } from './rowLog.js';

/**
 * Writes the rows of {@link csvLog} to the file `path` as JSON, one object a line. A resumed run goes on in the same
 * file from the step at which it was saved.
 */
export function jsonLinesLog(path: string, options: LogOptions = {}): TrainingCallback {
  requirePath(WHERE, path);
  return rowLog(WHERE, options, async (run) => {
    const kept = run.step > 0 ? (await rowsOf(path)).filter(({ step }) => step <= run.step) : [];
    await writeFileAtomically(WHERE, path, kept.map(line).join(''));
    return { last: kept.at(-1), add: (row) => appendToFile(WHERE, path, line(row)) };
  });
}

const WHERE = 'jsonLinesLog';

async function rowsOf(path: string): Promise<LogRow[]> {
  const text = new TextDecoder().decode(await readFileIfPresent(WHERE, path));
  return text.split('\n').flatMap((line) => parse(line) ?? []);
}

/** `undefined` for a line that a killed process left half written. */
function parse(line: string): LogRow | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function line(row: LogRow): string {
  return `${JSON.stringify(row)}\n`;
}
