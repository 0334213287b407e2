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

  /**
   * Takes in one step of N environments; `ended` `[N]` is 1 where an episode is over.
   *
   * @throws NonFiniteError for rewards that are not finite; nothing has changed then
   */
  add(rewards: ArrayLike<number>, ended: ArrayLike<number>): void {
    const before = this.returns.length === rewards.length ? this.returns : new Float64Array(rewards.length);
    const returns = before.map((sum, i) => this.gamma * sum + (rewards[i] as number));
    this.moments.add(returns);
    this.returns = returns.map((sum, i) => (ended[i] ? 0 : sum));
  }

  /** Episodes begin anew: what was summed up of those before does not count for them. */
  restart(): void {
    this.returns = new Float64Array(0);
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
