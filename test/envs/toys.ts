import type { Env } from '../../src/envs/env.js';
import { Rng } from '../../src/rng/rng.js';
import { Box } from '../../src/spaces/box.js';
import { prefixed, readEntries, type StateDict, substate } from '../../src/state.js';

/** A random walk that says where it is; ends at |x| > 3. Its state can be saved. */
export class Walk implements Env {
  readonly id: string = 'Walk';
  readonly observationSpace = Box.uniform(1, -100, 100);
  readonly actionSpace = Box.uniform(1, -1, 1);
  protected rng = Rng.fromSeed(0);
  protected x = 0;
  isClosed = false;

  reset({ seed }: { seed?: number } = {}) {
    if (seed !== undefined) this.rng = Rng.fromSeed(seed);
    this.x = this.rng.normal();
    return { observation: Float32Array.of(this.x), info: {} };
  }

  step(action: Float32Array) {
    this.x += action[0]! + this.rng.normal();
    const reward = -Math.abs(this.x);
    return this.result(reward);
  }

  protected result(reward: number) {
    const observation = Float32Array.of(this.x);
    return { observation, reward, terminated: Math.abs(this.x) > 3, truncated: false, info: {} };
  }

  state(): StateDict {
    return { x: { shape: [1], data: Float64Array.of(this.x) }, ...prefixed('rng', this.rng.state()) };
  }

  prepare(state: StateDict) {
    const { x } = readEntries(state, { x: 1 }, ['rng']);
    const rng = this.rng.prepare(substate(state, 'rng'));
    return () => {
      rng();
      this.x = x[0]!;
    };
  }

  close(): void {
    this.isClosed = true;
  }
}

/** As {@link Walk}, with promises. */
export class SlowWalk extends Walk {
  override step(action: Float32Array) {
    return Promise.resolve(super.step(action)) as never;
  }
}
