import type { TransitionIndex } from '../mdp/transitionIndex.js';
import { oneOf } from '../options.js';
import type { Rng } from '../rng/rng.js';

/**
 * How the gradient steps of an epoch grow with K, whose rollouts have K transitions for each environment step:
 * - `'minibatches'`: K times as many minibatches, as in DMERL's released code;
 * - `'none'`: as many, each K times as large;
 * - `'subsample'`: as many of the same size, from one diffusion step of each environment step, drawn anew every epoch.
 */
export type UpdateScaling = 'minibatches' | 'none' | 'subsample';

/** The scaling as an option. */
export const updateScalingOption = oneOf(
  ['minibatches', 'none', 'subsample'],
  'minibatches',
  'How updates grow with K; see UpdateScaling.',
);

/**
 * Shuffled transitions of one epoch, by {@link TransitionIndex}; minibatches have one size, what is left over is dropped.
 *
 * @param options.outer environment steps T times N
 * @param options.size transitions of a minibatch at K = 1
 */
export function minibatches(
  rng: Rng,
  index: TransitionIndex,
  { outer, size, scaling }: { outer: number; size: number; scaling: UpdateScaling },
): Int32Array[] {
  const { steps } = index;
  const rows =
    scaling === 'subsample'
      ? Int32Array.from({ length: outer }, (_, row) => index.of(row, rng.integer(steps)))
      : Int32Array.from({ length: outer * steps }, (_, i) => i);
  shuffle(rows, rng);
  const width = Math.min(scaling === 'none' ? size * steps : size, rows.length);
  return Array.from({ length: Math.floor(rows.length / width) }, (_, i) => rows.slice(i * width, (i + 1) * width));
}

/** Fisher and Yates's shuffle, in place. */
function shuffle(values: Int32Array, rng: Rng): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    const kept = values[i] as number;
    values[i] = values[j] as number;
    values[j] = kept;
  }
}
