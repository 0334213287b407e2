import { requireInteger } from '../../errors.js';
import { asCount, type MaybePromise, readEntries, type StateDict, stateArray } from '../../state.js';
import type { Env, ResetResult, StepResult } from '../env.js';
import { andThen } from '../maybePromise.js';
import { Wrapper } from './wrapper.js';

/** Cuts episodes after a number of steps: `truncated` is then true, and the value of the last observation still counts. */
export class TimeLimit<E extends Env = Env> extends Wrapper<E> {
  readonly maxEpisodeSteps: number;
  private elapsed = 0;

  /**
   * @param maxEpisodeSteps at least 1; `Infinity` for no limit
   * @throws ArgumentError for anything else
   */
  constructor(env: E, maxEpisodeSteps: number) {
    super(env);
    if (maxEpisodeSteps !== Infinity) requireInteger('TimeLimit', 'maxEpisodeSteps', maxEpisodeSteps, { min: 1 });
    this.maxEpisodeSteps = maxEpisodeSteps;
  }

  /** Steps taken in this episode. */
  get elapsedSteps(): number {
    return this.elapsed;
  }

  override reset(options?: { seed?: number }): MaybePromise<ResetResult> {
    return andThen(super.reset(options), (result) => {
      this.elapsed = 0;
      return result;
    });
  }

  override step(action: Float32Array): MaybePromise<StepResult> {
    return andThen(super.step(action), (result) => {
      this.elapsed++;
      return this.elapsed < this.maxEpisodeSteps ? result : { ...result, truncated: true };
    });
  }

  protected override ownState(): StateDict {
    return { elapsedSteps: stateArray(this.elapsed) };
  }

  protected override prepareOwn(state: StateDict): () => void {
    const elapsed = asCount(readEntries(state, { elapsedSteps: 1 }).elapsedSteps, 'elapsedSteps');
    return () => {
      this.elapsed = elapsed;
    };
  }
}
