import { Rng } from '../rng/rng.js';
import type { StateDict, Stateful } from '../state.js';

/** The random numbers of an environment, by the seed of a reset. Without any, the first reset draws one at random. */
export class StartRng implements Stateful {
  rng = Rng.fromSeed(0);
  private isSeeded = false;

  /** At a reset: what an episode starts and goes on with. */
  start(seed: number | undefined): Rng {
    if (seed !== undefined || !this.isSeeded) this.rng = Rng.fromSeed(seed ?? Math.floor(Math.random() * 2 ** 32));
    this.isSeeded = true;
    return this.rng;
  }

  /** From here on it goes on as what was saved would. */
  state(): StateDict {
    this.isSeeded = true;
    return this.rng.state();
  }

  prepare(state: StateDict): () => void {
    const commit = this.rng.prepare(state);
    return () => {
      commit();
      this.isSeeded = true;
    };
  }
}
