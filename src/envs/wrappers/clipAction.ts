import { requireOneOf } from '../../errors.js';
import { requireOptions } from '../../options.js';
import { Box } from '../../spaces/box.js';
import type { MaybePromise } from '../../state.js';
import type { Env, StepResult } from '../env.js';
import { Wrapper } from './wrapper.js';

/** Moves actions to the nearest allowed one, so that any action may be given. */
export class ClipAction<E extends Env = Env> extends Wrapper<E> {
  override readonly actionSpace: Box;

  /**
   * @param options.keepBounds whether the action space goes on to say what is allowed, for agents that need bounds; default
   *   false: it is unbounded
   * @throws ArgumentError for anything else
   */
  constructor(env: E, options: { keepBounds?: boolean } = {}) {
    super(env);
    requireOptions('ClipAction', options, { keepBounds: true });
    const keepBounds = requireOneOf('ClipAction', 'keepBounds', options.keepBounds ?? false, [true, false]);
    this.actionSpace = keepBounds ? env.actionSpace : Box.uniform(env.actionSpace.size);
  }

  override step(action: Float32Array): MaybePromise<StepResult> {
    const fits = action?.length === this.env.actionSpace.size;
    return super.step(fits ? this.env.actionSpace.clip(action) : action);
  }
}
