import type { Agent } from '../agents/agent.js';
import { checkpointExists } from '../checkpoint/checkpoint.js';
import type { Env } from '../envs/env.js';
import { ArgumentError, requireInteger, show } from '../errors.js';
import { requireOptions } from '../options.js';
import type { TrainingCallback } from '../training/callback.js';
import { bestModel } from '../training/callbacks/bestModel.js';
import { checkpoints } from '../training/callbacks/checkpoints.js';
import { evaluation } from '../training/callbacks/evaluation.js';
import { filming } from '../training/callbacks/filming.js';
import { learningCurve } from '../training/callbacks/learningCurve.js';
import { stopAtReturn, stopWithoutImprovement } from '../training/callbacks/stopping.js';
import { csvLog } from '../training/loggers/csvLog.js';
import { evaluationsCsv } from '../training/loggers/evaluationsCsv.js';
import { tensorBoardLog } from '../training/loggers/tensorBoardLog.js';
import { train } from '../training/train.js';
import { claim } from './claim.js';
import type { RunEnvironments } from './environment.js';
import { RunFolder, type RunStatus, settledBy } from './folder.js';
import { type PreparedRun, prepareRun } from './prepare.js';
import { statusReport } from './statusReport.js';

export interface ExecuteOptions {
  /** Stops after the step that is under way, with a checkpoint. */
  signal?: AbortSignal;
  /** Watch the training, after the run's own. */
  callbacks?: readonly TrainingCallback[];
  /** Steps of the whole run, when it is to go on beyond its planned end; not fewer than it has made. */
  steps?: number;
  /** Pauses at this step, if the run is longer. */
  until?: number;
}

/**
 * Works on a run until it is complete: from its first step, or from its latest checkpoint, bit for bit. Nothing is done for
 * a run that is complete.
 *
 * @returns its status at the end
 * @throws ArgumentError if it has made more steps than it is to make
 * @throws RunBusyError if somebody else works on it
 * @throws whatever makes the training fail; the status says it too
 */
export async function executeRun(folder: RunFolder, options: ExecuteOptions = {}): Promise<RunStatus> {
  if (!(folder instanceof RunFolder)) {
    throw new ArgumentError(
      `executeRun: folder must be a RunFolder, as createRun and RunFolder.open give, got ${show(folder)}.`,
    );
  }
  requireOptions('executeRun', options, { signal: true, callbacks: true, steps: true, until: true });
  if (options.steps !== undefined) requireInteger('executeRun', 'steps', options.steps, { min: 1 });
  const seen = await folder.status();
  if (isComplete(seen, options.steps)) return seen;
  const release = await claim(folder.path);
  try {
    return await executeClaimed(folder, options);
  } finally {
    await release();
  }
}

function isComplete({ state, step }: RunStatus, steps = 0): boolean {
  return state === 'finished' && steps <= step;
}

async function executeClaimed(folder: RunFolder, options: ExecuteOptions): Promise<RunStatus> {
  const before = await folder.status(); // whoever worked on it until now may have got on
  if (isComplete(before, options.steps)) return before;
  const { steps = before.steps } = options;
  if (options.steps !== undefined && steps < before.step) {
    throw new ArgumentError(
      `executeRun: steps must be at least ${before.step}, which '${folder.path}' has made already, got ${steps}.`,
    );
  }
  const report = statusReport(folder, before, steps);
  try {
    await report.begin();
    const prepared = await prepareRun('diffrl train', settledBy(await folder.config()));
    try {
      await trainPrepared(folder, prepared, report.callback, {
        ...options,
        steps: Math.min(steps, options.until ?? steps),
      });
    } finally {
      prepared.agent.dispose();
      await prepared.environments.close();
    }
    return await folder.status();
  } catch (error) {
    await report.fail(error).catch(() => {}); // why the training failed says more
    throw error;
  }
}

async function trainPrepared(
  folder: RunFolder,
  { settings, agent, environments }: PreparedRun,
  status: TrainingCallback,
  { signal, callbacks = [], steps }: ExecuteOptions & { steps: number },
): Promise<void> {
  const { evaluationEvery: every, evaluationEpisodes: episodes, evaluationSeed, logEvery, checkpointEvery } = settings;
  const { stopAtReturn: threshold, stopWithoutImprovement: patience, filmEvery } = settings;
  const film = filmIn(environments, evaluationSeed);
  const env = await environments.sideBySide(episodes);
  await train({
    agent,
    env: environments.train,
    seed: settings.seed,
    steps,
    signal,
    resume: (await checkpointExists(folder.latest)) ? folder.latest : undefined,
    callbacks: [
      evaluation({ env, every, episodes, seed: evaluationSeed }),
      bestModel(folder.best),
      evaluationsCsv(folder.file('evaluations.csv')),
      csvLog(folder.file('progress.csv'), { every: logEvery }),
      tensorBoardLog(folder.file('tensorboard'), { every: logEvery }),
      learningCurve(folder.file('curve.svg'), { every }),
      ...(filmEvery === undefined ? [] : [filming(folder.file('films'), { every: filmEvery, film })]),
      ...(threshold === undefined ? [] : [stopAtReturn(threshold)]),
      ...(patience === undefined ? [] : [stopWithoutImprovement({ evaluations: patience })]),
      checkpoints({ path: folder.latest, every: checkpointEvery }),
      status,
      ...callbacks,
    ],
  });
}

/** Films in one environment, which is made for the first film: each more would hold a model of its own to the end. */
function filmIn(environments: RunEnvironments, seed: number): (agent: Agent) => Promise<string> {
  let env: Promise<Env> | undefined;
  return async (agent) => {
    const { film } = await import('../mujoco/render/film.js');
    env ??= environments.another();
    return (await film({ agent, env: await env, seed })).svg;
  };
}
