import type { Agent } from '../agents/agent.js';
import { type JsonObject, mergeOptions } from '../agents/optionsJson.js';
import { checkpointExists, readCheckpoint } from '../checkpoint/checkpoint.js';
import { CheckpointError } from '../errors.js';
import { partsOf } from '../training/callbacks/evaluation.js';
import type { TrainingHistory } from '../training/history.js';
import { TrainingRun } from '../training/trainingRun.js';
import { closedIfFails, isOwn, type RunEnvironments } from './environment.js';
import { type RunConfig, RunFolder, settledBy } from './folder.js';
import { prepareRun } from './prepare.js';

/** A run as one of its checkpoints has it. */
export interface LoadedRun {
  agent: Agent;
  /** `evaluation` sees observations as the agent learned them: with the moments of the checkpoint. */
  environments: RunEnvironments;
  history: TrainingHistory;
  step: number;
  config: RunConfig;
}

/**
 * Agent and environments of the run in the folder `path`, as it was saved; nothing needs to be told.
 *
 * @param which the last checkpoint (default) or the one with the best evaluation
 * @param over `options` go over those of the run, as long as the arrays fit: `{ options: { particles: 64 } }`
 * @throws CheckpointError if `path` is no run or has no such checkpoint, or if its arrays do not fit such options
 * @throws ArgumentError for an option that the agent has not
 *
 * @example
 * ```ts
 * const { agent, environments } = await loadRun('runs/Pendulum__dime__0__20261125-190000', 'best');
 * const { mean } = await evaluate({ agent, env: await environments.sideBySide(10) });
 * ```
 */
export async function loadRun(
  path: string,
  which: 'latest' | 'best' = 'latest',
  { options }: { options?: JsonObject } = {},
): Promise<LoadedRun> {
  const folder = RunFolder.open(path);
  if (!(await checkpointExists(folder[which]))) {
    throw new CheckpointError(`loadRun: '${folder.path}' has no checkpoint '${which}'; it was written by no step yet.`);
  }
  const config = await folder.config();
  const { filmEvery: _, ...settings } = settledBy(config); // who loads a run makes no films of its training
  const over = mergeOptions(config.resolved.options, options ?? {});
  const { agent, environments } = await prepareRun('loadRun', { ...settings, options: over });
  const close = () => {
    agent.dispose();
    return environments.close();
  };
  return closedIfFails({ close }, async () => {
    const parts = isOwn(settings.env) ? {} : partsOf(environments.evaluation); // the library's are many, with the moments of training
    const run = new TrainingRun({ agent, env: environments.train, seed: settings.seed, parts });
    await run.load(await readCheckpoint(folder[which]), options !== undefined);
    return { agent, environments, history: run.history, step: run.step, config };
  });
}
