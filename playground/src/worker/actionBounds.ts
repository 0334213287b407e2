import { Box, type Env, Wrapper } from 'diffrl';

/** Gives actuators without limits those of [-1, 1]; agents need some. */
export class ActionBounds extends Wrapper {
  override readonly actionSpace: Box;

  constructor(env: Env) {
    super(env);
    const { low, high } = env.actionSpace;
    const bounded = Array.from(low, (value, i) => Number.isFinite(value) && Number.isFinite(high[i]));
    this.actionSpace = new Box(
      bounded.map((has, i) => (has ? low[i]! : -1)),
      bounded.map((has, i) => (has ? high[i]! : 1)),
    );
  }
}
