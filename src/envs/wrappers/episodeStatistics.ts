import { asCount, type MaybePromise, readEntries, type StateDict, stateArray } from '../../state.js';
import type { Env, ResetResult, StepResult } from '../env.js';
import { andThen } from '../maybePromise.js';
import { Wrapper } from './wrapper.js';

/** What {@link EpisodeStatistics} puts into `info.episode` of an episode's last step. */
export interface EpisodeSummary {
  /** Sum of the rewards. */
  return: number;
  /** Number of steps. */
  length: number;
  /** Seconds since the episode began. */
  seconds: number;
}

/** Adds `info.episode`, an {@link EpisodeSummary}, to the step that ends an episode. */
export class EpisodeStatistics<E extends Env = Env> extends Wrapper<E> {
  private sum = 0;
  private length = 0;
  private begin = performance.now();

  override reset(options?: { seed?: number }): MaybePromise<ResetResult> {
    return andThen(super.reset(options), (result) => {
      this.sum = 0;
      this.length = 0;
      this.begin = performance.now();
      return result;
    });
  }

  override step(action: Float32Array): MaybePromise<StepResult> {
    return andThen(super.step(action), (result) => {
      this.sum += result.reward;
      this.length++;
      if (!result.terminated && !result.truncated) return result;
      const seconds = (performance.now() - this.begin) / 1000;
      const episode: EpisodeSummary = { return: this.sum, length: this.length, seconds };
      return { ...result, info: { ...result.info, episode } };
    });
  }

  protected override ownState(): StateDict {
    return { sum: stateArray(this.sum), length: stateArray(this.length) };
  }

  protected override prepareOwn(state: StateDict): () => void {
    const entries = readEntries(state, { sum: 1, length: 1 });
    const length = asCount(entries.length, 'length');
    return () => {
      this.sum = entries.sum[0] as number;
      this.length = length;
    };
  }
}
