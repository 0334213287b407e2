import type { AugmentedRecords } from './rollout.js';
import type { TransitionIndex } from './transitionIndex.js';

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

/** The transitions of `records` with these numbers. */
export function gatherRows(
  records: AugmentedRecords,
  index: TransitionIndex,
  { observationSize, actionSize }: { observationSize: number; actionSize: number },
  indices: ArrayLike<number>,
): TransitionRows {
  const count = indices.length;
  const rows: TransitionRows = {
    observations: new Float32Array(count * observationSize),
    x: new Float32Array(count * actionSize),
    next: new Float32Array(count * actionSize),
    step: new Float32Array(count),
  };
  for (let row = 0; row < count; row++) {
    const number = indices[row] as number;
    const latent = index.latent(number);
    copyRow(records.observations, index.outer(number), rows.observations, row, observationSize);
    copyRow(records.latents, latent, rows.x, row, actionSize);
    copyRow(records.latents, latent + index.numEnvs, rows.next, row, actionSize);
    rows.step[row] = index.step(number);
  }
  return rows;
}

function copyRow(source: Float32Array, from: number, target: Float32Array, to: number, width: number): void {
  for (let i = 0; i < width; i++) target[to * width + i] = source[from * width + i] as number;
}
