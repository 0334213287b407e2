import { requireNumber } from '../errors.js';
import { prefixed, readEntries, type StateDict, type Stateful, stateArray, substate } from '../state.js';
import { RunningMoments } from './runningMoments.js';

/**
 * Rewards over the running standard deviation of the discounted return, so that values and temperatures are of one
 * size in every task (Engstrom et al. 2020). Rewards are not centred: that would change the task.
 */
export class RewardScale implements Stateful {
  private returns = new Float64Array(0);
  private readonly moments = new RunningMoments(1);

  /** @param gamma discount of the return, in [0, 1] */
  constructor(private readonly gamma: number) {
    requireNumber('RewardScale', 'gamma', gamma, { min: 0, max: 1 });
  }

  /** Takes in one step of N environments; `ended` `[N]` is 1 where an episode is over. */
  add(rewards: Float32Array, ended: ArrayLike<number>): void {
    if (this.returns.length !== rewards.length) this.returns = new Float64Array(rewards.length);
    this.returns = this.returns.map((sum, i) => this.gamma * sum + (rewards[i] as number));
    this.moments.add(this.returns);
    this.returns = this.returns.map((sum, i) => (ended[i] ? 0 : sum));
  }

  /** What rewards are divided by. */
  get value(): number {
    return this.moments.std(0);
  }

  state(): StateDict {
    return { ...prefixed('moments', this.moments.state()), returns: stateArray(this.returns.slice()) };
  }

  prepare(state: StateDict): () => void {
    const { returns } = readEntries(state, { returns: undefined }, ['moments']);
    const moments = this.moments.prepare(substate(state, 'moments'));
    return () => {
      moments();
      this.returns = Float64Array.from(returns);
    };
  }
}
