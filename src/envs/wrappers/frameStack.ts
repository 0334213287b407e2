import { requireInteger } from '../../errors.js';
import { Box } from '../../spaces/box.js';
import { type MaybePromise, readEntries, type StateDict, stateArray } from '../../state.js';
import type { Env, ResetResult, StepResult } from '../env.js';
import { andThen } from '../maybePromise.js';
import { Wrapper } from './wrapper.js';

/**
 * Shows the last observations together, oldest first: `[frames * observationSize]`. An episode begins with its first
 * observation repeated.
 */
export class FrameStack<E extends Env = Env> extends Wrapper<E> {
  override readonly observationSpace: Box;
  private stack: Float32Array;

  /** @throws ArgumentError unless frames is an integer >= 1 */
  constructor(
    env: E,
    readonly frames: number,
  ) {
    super(env);
    requireInteger('FrameStack', 'frames', frames, { min: 1 });
    const { low, high } = env.observationSpace;
    this.observationSpace = new Box(repeated(low, frames), repeated(high, frames));
    this.stack = new Float32Array(this.observationSpace.size);
  }

  override reset(options?: { seed?: number }): MaybePromise<ResetResult> {
    return andThen(super.reset(options), (result) => {
      this.stack = repeated(result.observation, this.frames);
      return { ...result, observation: this.stack.slice() };
    });
  }

  override step(action: Float32Array): MaybePromise<StepResult> {
    return andThen(super.step(action), (result) => {
      const { size } = this.env.observationSpace;
      this.stack.copyWithin(0, size);
      this.stack.set(result.observation, this.stack.length - size);
      return { ...result, observation: this.stack.slice() };
    });
  }

  protected override ownState(): StateDict {
    return { stack: stateArray(this.stack.slice()) };
  }

  protected override prepareOwn(state: StateDict): () => void {
    const { stack } = readEntries(state, { stack: this.stack.length });
    return () => this.stack.set(stack);
  }
}

function repeated(row: Float32Array, times: number): Float32Array {
  const rows = new Float32Array(row.length * times);
  for (let i = 0; i < times; i++) rows.set(row, i * row.length);
  return rows;
}
