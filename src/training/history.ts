import { requireInteger } from '../errors.js';
import { lengthOf, readEntries, type StateDict, type Stateful, stateArray } from '../state.js';
import { mean } from '../stats/summary.js';
import { type Evaluation, summarise } from './evaluate.js';

/** One finished episode of training. */
export interface EpisodeRecord {
  /** Environment steps of the run when it ended. */
  step: number;
  /** Sum of its rewards. */
  return: number;
  /** Its steps. */
  length: number;
}

/** One evaluation during training. */
export interface EvaluationRecord extends Evaluation {
  /** Environment steps of the run when it was made. */
  step: number;
}

/** What happened in a training run so far; checkpoints keep it. */
export class TrainingHistory implements Stateful {
  episodes: EpisodeRecord[] = [];
  evaluations: EvaluationRecord[] = [];

  /** The mean return of the last `count` episodes, `undefined` before the first. */
  recentReturn(count = 10): number | undefined {
    requireInteger('TrainingHistory.recentReturn', 'count', count, { min: 1 });
    const recent = this.episodes.slice(-count);
    return recent.length ? mean(recent.map((episode) => episode.return)) : undefined;
  }

  state(): StateDict {
    const { episodes, evaluations } = this;
    return {
      ...columns('episodes', {
        steps: episodes.map(({ step }) => step),
        returns: episodes.map((episode) => episode.return),
        lengths: episodes.map(({ length }) => length),
      }),
      ...columns('evaluations', {
        steps: evaluations.map(({ step }) => step),
        counts: evaluations.map(({ returns }) => returns.length),
        returns: evaluations.flatMap(({ returns }) => returns),
        lengths: evaluations.flatMap(({ lengths }) => lengths),
        successes: evaluations.flatMap(({ lengths, successes }) => lengths.map((_, i) => Number(successes?.[i] ?? -1))),
      }),
    };
  }

  prepare(state: StateDict): () => void {
    const length = (name: string) => lengthOf(state, name);
    const [ended, evaluated] = [length('episodes/steps'), length('evaluations/steps')];
    const count = Array.from(state['evaluations/counts']?.data ?? []).reduce((sum, value) => sum + value, 0);
    const entries = readEntries(state, {
      'episodes/steps': ended,
      'episodes/returns': ended,
      'episodes/lengths': ended,
      'evaluations/steps': evaluated,
      'evaluations/counts': evaluated,
      'evaluations/returns': count,
      'evaluations/lengths': count,
      'evaluations/successes': count,
    });
    const episodes = Array.from(entries['episodes/steps'], (step, i) => ({
      step,
      return: entries['episodes/returns'][i] as number,
      length: entries['episodes/lengths'][i] as number,
    }));
    const outcomes = [true, false, undefined]; // of 1, 0 and -1
    const played = Array.from(entries['evaluations/returns'], (episodeReturn, i) => ({
      return: episodeReturn,
      length: entries['evaluations/lengths'][i] as number,
      success: outcomes[1 - (entries['evaluations/successes'][i] as number)],
    }));
    const evaluations = Array.from(entries['evaluations/steps'], (step, i) => {
      const count = entries['evaluations/counts'][i] as number;
      return { step, ...summarise(played.splice(0, count)) };
    });
    return () => {
      this.episodes = episodes;
      this.evaluations = evaluations;
    };
  }
}

function columns(name: string, lists: Record<string, number[]>): StateDict {
  return Object.fromEntries(
    Object.entries(lists).map(([column, values]) => [`${name}/${column}`, stateArray(Float64Array.from(values))]),
  );
}
