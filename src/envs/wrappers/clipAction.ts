import { Box } from '../../spaces/box.js';
import type { MaybePromise } from '../../state.js';
import type { Env, StepResult } from '../env.js';
import { Wrapper } from './wrapper.js';

/** Moves actions to the nearest allowed one, so that any action may be given. */
export class ClipAction<E extends Env = Env> extends Wrapper<E> {
  override readonly actionSpace: Box;

  constructor(env: E) {
    super(env);
    this.actionSpace = Box.uniform(env.actionSpace.size);
  }

  override step(action: Float32Array): MaybePromise<StepResult> {
    const fits = action?.length === this.env.actionSpace.size;
    return super.step(fits ? this.env.actionSpace.clip(action) : action);
  }
}
