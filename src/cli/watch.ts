import { setTimeout as sleep } from 'node:timers/promises';
import type { RunFolder, RunStatus } from '../runs/folder.js';
import { interruption } from './interruption.js';
import { brief, duration, table } from './print.js';
import { runsIn } from './runsIn.js';
import { shown } from './train.js';

/** Milliseconds between two tables. */
const PULSE = 2000;

/** One row a run. */
export function statusTable(rows: readonly { folder: RunFolder; status: RunStatus; note?: string }[]): string {
  const cells = rows.map(({ folder, status, note }) => {
    const { state, step, steps, evaluation, recentReturn, stepsPerSecond, attempts } = status;
    const left = state === 'running' && stepsPerSecond ? duration((steps - step) / stepsPerSecond) : '';
    const share = `${((100 * step) / steps).toFixed(0)} %`;
    return [
      shown(folder),
      state,
      share,
      brief(evaluation?.mean),
      brief(recentReturn),
      state === 'running' ? brief(stepsPerSecond) : '',
      left,
      String(attempts),
      note ?? '',
    ];
  });
  const heads = ['run', 'state', 'done', 'evaluation', 'return', 'steps/s', 'left', 'starts'];
  const hasNotes = rows.some(({ note }) => note);
  return table(hasNotes ? [...heads, 'queue'] : heads, hasNotes ? cells : cells.map((row) => row.slice(0, -1)));
}

/** In a terminal a table that stays up to date until all runs have ended, elsewhere one table. */
export async function watch(paths: readonly string[]): Promise<void> {
  let lines = 0;
  for (;;) {
    const folders = await runsIn(paths);
    const rows = await Promise.all(folders.map(async (folder) => ({ folder, status: await folder.status() })));
    const text = statusTable(rows);
    if (lines) process.stdout.write(`\x1b[${lines}A\x1b[J`);
    console.log(text);
    lines = text.split('\n').length;
    const isOver = rows.every(({ status }) => status.state === 'finished' || status.state === 'failed');
    if (!process.stdout.isTTY || isOver || interruption.aborted) return;
    await sleep(PULSE, undefined, { signal: interruption }).catch(() => {});
    if (interruption.aborted) return;
  }
}
