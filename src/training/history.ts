import { readEntries, type StateDict, type Stateful, stateArray } from '../state.js';
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
      }),
    };
  }

  prepare(state: StateDict): () => void {
    const length = (name: string) => state[name]?.data?.length;
    const [ended, evaluated] = [length('episodes/steps'), length('evaluations/steps')];
    const played = Array.from(state['evaluations/counts']?.data ?? []).reduce((sum, count) => sum + count, 0);
    const entries = readEntries(state, {
      'episodes/steps': ended,
      'episodes/returns': ended,
      'episodes/lengths': ended,
      'evaluations/steps': evaluated,
      'evaluations/counts': evaluated,
      'evaluations/returns': played,
      'evaluations/lengths': played,
    });
    const episodes = Array.from(entries['episodes/steps'], (step, i) => ({
      step,
      return: entries['episodes/returns'][i] as number,
      length: entries['episodes/lengths'][i] as number,
    }));
    const [returns, lengths] = [[...entries['evaluations/returns']], [...entries['evaluations/lengths']]];
    const evaluations = Array.from(entries['evaluations/steps'], (step, i) => {
      const count = entries['evaluations/counts'][i] as number;
      return { step, ...summarise(returns.splice(0, count), lengths.splice(0, count)) };
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
