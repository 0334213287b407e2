import { ArgumentError, requireInteger, show } from '../errors.js';
import { requireOptions } from '../options.js';
import type { Stateful } from '../state.js';
import type { Outcome, TrainingCallback } from './callback.js';
import type { TrainingHistory } from './history.js';
import { type StepReport, TrainingRun, type TrainingRunOptions } from './trainingRun.js';

export interface TrainOptions extends TrainingRunOptions {
  /** Environment steps of the whole run, all environments together, including those before a resume. */
  steps: number;
  callbacks?: readonly TrainingCallback[];
  /** Stops after the step that is under way; the result is then `aborted`. */
  signal?: AbortSignal;
  /** A folder written by {@link checkpoints}: the run goes on from there, bit for bit. */
  resume?: string;
}

/** What {@link train} returns. */
export interface TrainResult {
  /** Environment steps of the whole run. */
  steps: number;
  /** Whether the signal stopped it. */
  aborted: boolean;
  /** Why a callback stopped it, if one did. */
  stopped: string | undefined;
  history: TrainingHistory;
  /** The run itself, to save it or to go on. */
  run: TrainingRun;
}

/**
 * Trains `agent` in `env`.
 *
 * Each step of the environments: the agent acts (at random during the warm-up), observes what came of it and then,
 * after the warm-up, updates itself. How many gradient steps one update makes is the agent's business.
 *
 * @throws EnvironmentError if the environment throws or breaks its contract; the agent has not observed that step
 * @throws CheckpointError if `resume` names no checkpoint of such a run; the agent is as it was
 *
 * @example
 * ```ts
 * await train({ agent, env, steps: 100_000, callbacks: [progressBar(), checkpoints({ path: 'runs/a' })] });
 * // another day, in a new process, with an agent and an environment made as before
 * await train({ agent, env, steps: 200_000, callbacks: [progressBar()], resume: 'runs/a' });
 * ```
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  requireOptions('train', options, {
    agent: true,
    env: true,
    seed: true,
    warmupSteps: true,
    parts: true,
    steps: true,
    callbacks: true,
    signal: true,
    resume: true,
  });
  const { steps, callbacks = [], signal, resume, ...runOptions } = options;
  requireInteger('train', 'steps', steps, { min: 0 });
  if (!Array.isArray(callbacks) || !callbacks.every((callback) => callback !== null && typeof callback === 'object')) {
    throw new ArgumentError(`train: callbacks must be a list, such as [progressBar()], got ${show(callbacks)}.`);
  }
  const run = new TrainingRun({ ...runOptions, parts: withOwn(runOptions.parts, partsOf(callbacks)) });
  if (resume !== undefined) await run.restore(resume);

  const started: TrainingCallback[] = [];
  let outcome: Outcome = 'failed';
  try {
    await begin(run, callbacks, started, steps);
    while (run.step < steps && !signal?.aborted && !run.stopped) await advance(run, callbacks);
    outcome = outcomeOf(run, steps);
  } finally {
    await end(run, started, outcome);
  }
  return { steps: run.step, aborted: outcome === 'aborted', stopped: run.stopped, history: run.history, run };
}

/** What callbacks remember; those of one name are numbered. */
export function partsOf(callbacks: readonly TrainingCallback[]): Record<string, Stateful> {
  const parts: Record<string, Stateful> = {};
  for (const [name, part] of callbacks.flatMap((callback) => Object.entries(callback.parts ?? {}))) {
    let own = name;
    for (let n = 2; own in parts; n++) own = `${name}-${n}`;
    parts[own] = part;
  }
  return parts;
}

function withOwn(own: TrainOptions['parts'] = {}, parts: Record<string, Stateful>): Record<string, Stateful> {
  const taken = Object.keys(own).find((name) => name in parts);
  if (taken === undefined) return { ...own, ...parts };
  throw new ArgumentError(
    `train: parts must not hold '${taken}', the name of what a callback remembers; give it another name.`,
  );
}

function outcomeOf(run: TrainingRun, steps: number): Outcome {
  if (run.stopped) return 'stopped';
  return run.step < steps ? 'aborted' : 'finished';
}

/** Tells the callbacks of the start that have not heard of it, and adds each to `started`, where {@link end} finds it if another throws. */
export async function begin(
  run: TrainingRun,
  callbacks: readonly TrainingCallback[],
  started: TrainingCallback[],
  steps: number,
): Promise<void> {
  for (const callback of callbacks.slice(started.length)) {
    await callback.onStart?.(run, steps);
    started.push(callback);
  }
}

/** One step, of which all callbacks hear. */
export async function advance(run: TrainingRun, callbacks: readonly TrainingCallback[]): Promise<StepReport> {
  const evaluationsBefore = run.history.evaluations.length;
  const report = await run.advance();
  for (const callback of callbacks) await callback.onStep?.(run, report);
  for (const episode of report.episodes) {
    for (const callback of callbacks) await callback.onEpisode?.(run, episode);
  }
  for (const evaluation of run.history.evaluations.slice(evaluationsBefore)) {
    for (const callback of callbacks) await callback.onEvaluation?.(run, evaluation);
  }
  for (const callback of callbacks) await callback.onStepEnd?.(run);
  return report;
}

/** All callbacks hear of the end, whatever the others make of it; a failure of the training itself goes first. */
export async function end(run: TrainingRun, callbacks: readonly TrainingCallback[], outcome: Outcome): Promise<void> {
  const errors: unknown[] = [];
  for (const callback of callbacks) {
    try {
      await callback.onEnd?.(run, outcome);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length && outcome !== 'failed') throw errors[0];
}
