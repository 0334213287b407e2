import * as tf from '@tensorflow/tfjs-core';
import type { DiffusionSampler } from '../../diffusion/diffusionSampler.js';
import type { Rng } from '../../rng/rng.js';

/**
 * Actions in replay with the K latents that led to them, in the order `[action, x_0, ..., x_{K - 1}]`. Actions that no chain
 * led to (random ones of the warm-up) get latents from the prior, which is how the untrained policy's are distributed.
 */
export class StoredLatents {
  private warned = false;

  constructor(
    private readonly sampler: DiffusionSampler,
    private readonly rng: Rng,
  ) {}

  /** Numbers of one row. */
  static size(sampler: DiffusionSampler, actionSize: number): number {
    return (sampler.schedule.steps + 1) * actionSize;
  }

  /**
   * `[N, (K + 1) A]`.
   *
   * @param actions `[N, A]`
   * @param latents `[K + 1, N, A]`, of the chains that led to these very actions
   * @param isOwn whether a chain did lead to an action, if another was executed
   */
  join(actions: Float32Array, latents: Float32Array | undefined, isOwn: boolean): Float32Array {
    if (isOwn && !latents) this.warn();
    const { actionSize } = this.sampler.sizes;
    const { steps } = this.sampler.schedule;
    const before = latents ?? this.rng.normals(steps * actions.length, 0, this.sampler.priorStd);
    const rows = actions.length / actionSize;
    const joined = new Float32Array(rows * (steps + 1) * actionSize);
    for (let row = 0; row < rows; row++) {
      const place = (part: number) => (row * (steps + 1) + part) * actionSize;
      joined.set(actions.subarray(row * actionSize, (row + 1) * actionSize), place(0));
      for (let k = 0; k < steps; k++) {
        const from = k * actions.length + row * actionSize;
        joined.set(before.subarray(from, from + actionSize), place(k + 1));
      }
    }
    return joined;
  }

  /** The latents of rows that {@link join} made, K tensors `[B, A]`. Traceable. */
  static split(stored: tf.Tensor2D, steps: number): tf.Tensor2D[] {
    return tf.split(stored, steps + 1, 1).slice(1) as tf.Tensor2D[];
  }

  private warn(): void {
    if (this.warned) return;
    this.warned = true;
    console.warn(
      'diffrl: other actions were executed than the agent decided on, so replay holds latents of the prior for them, not ' +
        "those of a chain. Hand on the decision's actions unchanged, or use latents 'resimulate'.",
    );
  }
}
