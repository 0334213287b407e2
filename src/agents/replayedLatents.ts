import type { DiffusionSampler } from '../diffusion/diffusionSampler.js';
import type { Rng } from '../rng/rng.js';
import type { StateDict, Stateful } from '../state.js';

/**
 * Brings actions together with the chains that led to them, on their way to replay. Actions that no chain led to
 * (random ones of the warm-up) get latents from the prior, which is how the untrained policy's are distributed.
 */
export class ReplayedLatents implements Stateful {
  private last?: { latents: Float32Array; actions: Float32Array };

  constructor(
    private readonly sampler: DiffusionSampler,
    private readonly rng: Rng,
  ) {}

  /** Keeps chains `[K + 1, N, A]` and the actions `[N, A]` that they gave. */
  remember(latents: Float32Array, actions: Float32Array): void {
    this.last = { latents, actions };
  }

  /** `[N, (K + 1) A]`: each action with its K latents behind it, the prior's draw first. */
  attach(actions: Float32Array): Float32Array {
    const { actionSize } = this.sampler.sizes;
    const { steps } = this.sampler.schedule;
    const known = this.last?.actions.every((value, i) => Math.abs(value - (actions[i] as number)) < TOLERANCE);
    const latents =
      this.last && known && this.last.actions.length === actions.length
        ? this.last.latents
        : this.rng.normals(steps * actions.length, 0, this.sampler.priorStd);
    const width = (steps + 1) * actionSize;
    const joined = new Float32Array((actions.length / actionSize) * width);
    for (let row = 0; row < actions.length / actionSize; row++) {
      const place = (part: number) => row * width + part * actionSize;
      joined.set(actions.subarray(row * actionSize, (row + 1) * actionSize), place(0));
      for (let k = 0; k < steps; k++) {
        const from = k * actions.length + row * actionSize;
        joined.set(latents.subarray(from, from + actionSize), place(k + 1));
      }
    }
    return joined;
  }

  state(): StateDict {
    return this.rng.state();
  }

  prepare(state: StateDict): () => void {
    const commit = this.rng.prepare(state);
    return () => {
      commit();
      this.last = undefined;
    };
  }
}

/** Actions come back from the environment's units and may have lost their last digits. */
const TOLERANCE = 1e-5;
