import { ArgumentError, requireFinite, requireLength, requireNumber } from '../../errors.js';
import { Box } from '../../spaces/box.js';
import type { MaybePromise } from '../../state.js';
import type { Env, StepResult } from '../env.js';
import { Wrapper } from './wrapper.js';

/** Lets actions of [low, high] stand for the whole range of the environment's actions, entry by entry. */
export class RescaleAction<E extends Env = Env> extends Wrapper<E> {
  override readonly actionSpace: Box;

  /**
   * @param low default -1
   * @param high default 1
   * @throws ArgumentError unless low < high and the environment's actions are bounded
   */
  constructor(
    env: E,
    private readonly low = -1,
    private readonly high = 1,
  ) {
    super(env);
    requireNumber('RescaleAction', 'low', low);
    requireNumber('RescaleAction', 'high', high, { above: low });
    if (!env.actionSpace.isBounded) {
      throw new ArgumentError(`RescaleAction: the actions of ${env.id ?? 'the environment'} must be bounded.`);
    }
    this.actionSpace = Box.uniform(env.actionSpace.size, low, high);
  }

  override step(action: Float32Array): MaybePromise<StepResult> {
    requireLength('RescaleAction.step', 'action', action, this.actionSpace.size);
    requireFinite('RescaleAction.step', 'action', action);
    const { low, high } = this.env.actionSpace;
    const scaled = action.map((value, i) => {
      const share = (value - this.low) / (this.high - this.low);
      return low[i]! * (1 - share) + high[i]! * share;
    });
    return super.step(scaled);
  }
}
