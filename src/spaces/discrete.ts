import { requireInteger } from '../errors.js';
import { type Rng, requireRng } from '../rng/rng.js';

/** The whole numbers `start ... start + count - 1`, one of them in a vector of length 1. Gymnasium's `Discrete`. */
export class Discrete {
  readonly kind = 'discrete';
  readonly size = 1;

  /** @throws ArgumentError unless count is an integer >= 1 and start an integer */
  constructor(
    readonly count: number,
    readonly start = 0,
  ) {
    requireInteger('Discrete', 'count', count, { min: 1 });
    requireInteger('Discrete', 'start', start);
  }

  /** Whether `value` holds one whole number of the range. */
  contains(value: ArrayLike<number>): boolean {
    const index: unknown = value?.length === 1 ? value[0] : undefined;
    return Number.isInteger(index) && (index as number) >= this.start && (index as number) < this.start + this.count;
  }

  /** A uniform draw. */
  sample(rng: Rng): Float32Array {
    requireRng('Discrete.sample', rng);
    return Float32Array.of(this.start + rng.integer(this.count));
  }
}
