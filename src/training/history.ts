import { requireEntry, type StateDict, type Stateful, stateArray } from '../state.js';
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

  loadState(state: StateDict): void {
    const column = (name: string) => Array.from(requireEntry(state, name));
    const [returns, lengths] = [column('episodes/returns'), column('episodes/lengths')];
    const [evaluated, durations] = [column('evaluations/returns'), column('evaluations/lengths')];
    const [episodeSteps, evaluationSteps] = [column('episodes/steps'), column('evaluations/steps')];
    const counts = column('evaluations/counts');

    this.episodes = episodeSteps.map((step, i) => ({
      step,
      return: returns[i] as number,
      length: lengths[i] as number,
    }));
    this.evaluations = evaluationSteps.map((step, i) => {
      const count = counts[i] as number;
      return { step, ...summarise(evaluated.splice(0, count), durations.splice(0, count)) };
    });
  }
}

function columns(name: string, lists: Record<string, number[]>): StateDict {
  return Object.fromEntries(
    Object.entries(lists).map(([column, values]) => [`${name}/${column}`, stateArray(Float64Array.from(values))]),
  );
}
