import type { JsonObject } from '../agents/optionsJson.js';
import { loadRun } from '../runs/load.js';
import { evaluate } from '../training/evaluate.js';
import { interruption } from './interruption.js';
import { brief, table } from './print.js';
import { runsIn } from './runsIn.js';
import { shown } from './train.js';

export interface EvaluateFlags {
  episodes: number;
  seed: number;
  checkpoint: 'best' | 'latest';
  /** Options in place of those of the runs. */
  set?: JsonObject;
  json?: boolean;
}

/** Evaluates one run after the other and prints what came out. */
export async function evaluateRuns(
  paths: readonly string[],
  { episodes, seed, checkpoint, set, json }: EvaluateFlags,
): Promise<void> {
  const rows: string[][] = [];
  for (const folder of await runsIn(paths)) {
    if (interruption.aborted) break;
    const { agent, environments, step } = await loadRun(folder.path, checkpoint, { options: set });
    const env = await environments.sideBySide(episodes);
    const result = await evaluate({ agent, env, episodes, seed });
    agent.dispose();
    await environments.close();
    if (json) console.log(JSON.stringify({ run: folder.path, checkpoint, step, seed, ...result }));
    const ends = [Math.min(...result.returns), Math.max(...result.returns)];
    rows.push([shown(folder), String(step), ...[result.mean, result.std, ...ends].map(brief), String(episodes)]);
  }
  if (!json) console.log(table(['run', 'step', 'mean', 'std', 'min', 'max', 'episodes'], rows));
}
