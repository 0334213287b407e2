import { requireNumber } from '../../errors.js';
import { RewardScale } from '../../ops/rewardScale.js';
import { requireOptions } from '../../options.js';
import type { MaybePromise, StateDict } from '../../state.js';
import type { Env, ResetResult, StepResult } from '../env.js';
import { andThen } from '../maybePromise.js';
import { Wrapper } from './wrapper.js';

/**
 * Rewards over the running standard deviation of the discounted return, so that returns are of size 1 in every task.
 * The scale is part of the state.
 */
export class NormaliseReward<E extends Env = Env> extends Wrapper<E> {
  readonly scale: RewardScale;

  /**
   * @param options.gamma discount of the return, in [0, 1); default 0.99
   * @throws ArgumentError for another discount
   */
  constructor(env: E, options: { gamma?: number } = {}) {
    super(env);
    requireOptions('NormaliseReward', options, { gamma: true });
    this.scale = new RewardScale(
      requireNumber('NormaliseReward', 'gamma', options.gamma ?? 0.99, { min: 0, below: 1 }),
    );
  }

  override reset(options?: { seed?: number }): MaybePromise<ResetResult> {
    this.scale.restart();
    return super.reset(options);
  }

  override step(action: Float32Array): MaybePromise<StepResult> {
    return andThen(super.step(action), (result) => {
      this.scale.add([result.reward], [Number(result.terminated || result.truncated)]);
      return { ...result, reward: result.reward / this.scale.value };
    });
  }

  protected override ownState(): StateDict {
    return this.scale.state();
  }

  protected override prepareOwn(state: StateDict): () => void {
    return this.scale.prepare(state);
  }
}
