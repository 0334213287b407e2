import type { JsonObject } from '../agents/optionsJson.js';
import type { RunFolder } from '../runs/folder.js';
import { loadRun } from '../runs/load.js';
import { evaluate } from '../training/evaluate.js';
import { INTERRUPTED, interruption } from './interruption.js';
import { brief, table } from './print.js';
import { runsIn } from './runsIn.js';
import { shown, tellFailure } from './train.js';

export interface EvaluateFlags {
  episodes: number;
  seed: number;
  checkpoint: 'best' | 'latest';
  /** Options in place of those of the runs. */
  set?: JsonObject;
  json?: boolean;
}

/** Evaluates one run after the other and prints what came out; one that fails does not keep the others from it. */
export async function evaluateRuns(paths: readonly string[], flags: EvaluateFlags): Promise<void> {
  const rows: string[][] = [];
  for (const folder of await runsIn(paths)) {
    if (interruption.aborted) break;
    await evaluateRun(folder, flags).then(
      (row) => rows.push(row),
      (error) => tellFailure(folder, error),
    );
  }
  if (rows.length && !flags.json) {
    console.log(table(['run', 'step', 'mean', 'std', 'min', 'max', 'episodes'], rows));
  }
  if (interruption.aborted) process.exitCode = INTERRUPTED;
}

async function evaluateRun(
  folder: RunFolder,
  { episodes, seed, checkpoint, set, json }: EvaluateFlags,
): Promise<string[]> {
  const { agent, environments, step } = await loadRun(folder.path, checkpoint, { options: set });
  try {
    const env = await environments.sideBySide(episodes);
    const result = await evaluate({ agent, env, episodes, seed });
    if (json) console.log(JSON.stringify({ run: folder.path, checkpoint, step, seed, ...result }));
    const ends = [Math.min(...result.returns), Math.max(...result.returns)];
    return [shown(folder), String(step), ...[result.mean, result.std, ...ends].map(brief), String(episodes)];
  } finally {
    agent.dispose();
    await environments.close();
  }
}
