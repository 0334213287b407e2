import type { AugmentedRecords } from './rollout.js';

/** Augmented transitions, one a row. */
export interface TransitionRows {
  /** `[B, O]` */
  observations: Float32Array;
  /** `[B, A]`, where a transition starts. */
  x: Float32Array;
  /** `[B, A]`, where it leads. */
  next: Float32Array;
  /** `[B]`, diffusion step, generation order. */
  step: Float32Array;
}

/** Sizes of {@link AugmentedRecords}. */
export interface RecordSizes {
  numEnvs: number;
  /** Diffusion steps K. */
  steps: number;
  observationSize: number;
  actionSize: number;
}

/** The transitions of `records` with these numbers, counted in the order `[T, K, N]`. */
export function gatherRows(records: AugmentedRecords, sizes: RecordSizes, indices: ArrayLike<number>): TransitionRows {
  const { numEnvs, steps, observationSize, actionSize } = sizes;
  const count = indices.length;
  const rows: TransitionRows = {
    observations: new Float32Array(count * observationSize),
    x: new Float32Array(count * actionSize),
    next: new Float32Array(count * actionSize),
    step: new Float32Array(count),
  };
  for (let row = 0; row < count; row++) {
    const index = indices[row] as number;
    const env = index % numEnvs;
    const k = Math.floor(index / numEnvs) % steps;
    const t = Math.floor(index / (numEnvs * steps));
    const latent = (t * (steps + 1) + k) * numEnvs + env;
    copyRow(records.observations, t * numEnvs + env, rows.observations, row, observationSize);
    copyRow(records.latents, latent, rows.x, row, actionSize);
    copyRow(records.latents, latent + numEnvs, rows.next, row, actionSize);
    rows.step[row] = k;
  }
  return rows;
}

function copyRow(source: Float32Array, from: number, target: Float32Array, to: number, width: number): void {
  for (let i = 0; i < width; i++) target[to * width + i] = source[from * width + i] as number;
}
