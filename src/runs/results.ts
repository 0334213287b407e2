import { readFile } from 'node:fs/promises';
import type { RunFolder } from './folder.js';

/** A row of `evaluations.csv`. */
export interface EvaluationRow {
  step: number;
  /** Mean over the episodes. */
  return: number;
  std: number;
  min: number;
  max: number;
  /** Mean length of the episodes. */
  length: number;
  episodes: number;
}

/** The evaluations of a run so far. */
export function evaluationsOf(folder: RunFolder): Promise<EvaluationRow[]> {
  return readTable(folder.file('evaluations.csv')) as Promise<unknown[]> as Promise<EvaluationRow[]>;
}

/** The rows of a run's `progress.csv` so far, by logged names; cells without a value are left out. */
export function progressOf(folder: RunFolder): Promise<Record<string, number>[]> {
  return readTable(folder.file('progress.csv'));
}

/** Whole lines only; a missing file has none. */
async function readTable(path: string): Promise<Record<string, number>[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const [header = '', ...lines] = text.split('\n').slice(0, -1);
  const names = header.split(',');
  return lines.map((line) => {
    const cells = line.split(',').map((cell, i) => [names[i] as string, cell] as const);
    return Object.fromEntries(cells.filter(([, cell]) => cell !== '').map(([name, cell]) => [name, Number(cell)]));
  });
}
