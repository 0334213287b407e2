import { requireInteger } from '../errors.js';
import type { Rng } from '../rng/rng.js';

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
    const index = (value[0] as number) - this.start;
    return value.length === 1 && Number.isInteger(index) && index >= 0 && index < this.count;
  }

  /** A uniform draw. */
  sample(rng: Rng): Float32Array {
    return Float32Array.of(this.start + rng.integer(this.count));
  }
}
