import type { MaybePromise, Stateful } from '../state.js';
import type { EpisodeRecord, EvaluationRecord } from './history.js';
import type { StepReport, TrainingRun } from './trainingRun.js';

/** How a training ended; `'stopped'`: a callback called {@link TrainingRun.stop}. */
export type Outcome = 'finished' | 'stopped' | 'aborted' | 'failed';

/**
 * Something that watches a training. All methods are optional and may be asynchronous: training waits for them.
 *
 * @example
 * ```ts
 * const printer: TrainingCallback = {
 *   onEpisode: (run, episode) => console.log(run.step, episode.return),
 * };
 * ```
 */
export interface TrainingCallback {
  /** What it remembers between steps, by name; part of the run's checkpoints, so that it goes on like the run. */
  readonly parts?: Readonly<Record<string, Stateful>> | undefined;
  /** Before the first step; `steps` is the run's last step. A resumed run has `run.step > 0` here. */
  onStart?(run: TrainingRun, steps: number): MaybePromise<void>;
  /** After each step of all environments. */
  onStep?(run: TrainingRun, report: StepReport): MaybePromise<void>;
  /** After each episode of training. */
  onEpisode?(run: TrainingRun, episode: EpisodeRecord): MaybePromise<void>;
  /** After each evaluation, whoever made it. */
  onEvaluation?(run: TrainingRun, evaluation: EvaluationRecord): MaybePromise<void>;
  /** After all of the above: the step is complete, the run may be saved. */
  onStepEnd?(run: TrainingRun): MaybePromise<void>;
  /** Once at the end, also when training failed (if `onStart` had succeeded); then agent and run are as the failure left them. */
  onEnd?(run: TrainingRun, outcome: Outcome): MaybePromise<void>;
}
