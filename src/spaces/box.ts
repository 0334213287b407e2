import { ArgumentError, requireInteger, requireLength, requireList, show } from '../errors.js';
import { type Rng, requireRng } from '../rng/rng.js';

/**
 * All vectors between `low` and `high`, entry by entry; bounds may be infinite. Gymnasium's `Box`, flattened.
 *
 * @example
 * ```ts
 * const actions = Box.uniform(6, -1, 1);
 * actions.contains(actions.sample(Rng.fromSeed(0))); // true
 * ```
 */
export class Box {
  readonly kind = 'box';
  /** Lower bounds, `[size]`. */
  readonly low: Float32Array;
  /** Upper bounds, `[size]`. */
  readonly high: Float32Array;

  /** @throws ArgumentError if the lengths differ, are 0, or a lower bound is above its upper bound */
  constructor(low: ArrayLike<number>, high: ArrayLike<number>) {
    requireList('Box', 'low', low);
    requireList('Box', 'high', high);
    if (low.length !== high.length || low.length === 0) {
      throw new ArgumentError(`Box: low and high must have one length >= 1, got ${low.length} and ${high.length}.`);
    }
    this.low = Float32Array.from(low);
    this.high = Float32Array.from(high);
    const crossed = this.low.findIndex((bound, i) => !(bound <= (this.high[i] as number)));
    if (crossed >= 0) {
      throw new ArgumentError(
        `Box: low[${crossed}] = ${low[crossed]} must not exceed high[${crossed}] = ${high[crossed]}.`,
      );
    }
  }

  /** A box with the same bounds in every entry; the whole space by default. */
  static uniform(size: number, low = -Infinity, high = Infinity): Box {
    requireInteger('Box.uniform', 'size', size, { min: 1, max: 2 ** 30 });
    return new Box(new Float32Array(size).fill(low), new Float32Array(size).fill(high));
  }

  /** Number of entries. */
  get size(): number {
    return this.low.length;
  }

  /** Whether every bound is finite. */
  get isBounded(): boolean {
    return this.low.every(Number.isFinite) && this.high.every(Number.isFinite);
  }

  /** Whether `value` has the right length and lies within the bounds, ends included. NaN is never inside. */
  contains(value: ArrayLike<number>): boolean {
    if (value?.length !== this.size) return false;
    return this.low.every((low, i) => {
      const entry: unknown = value[i];
      return typeof entry === 'number' && low <= entry && entry <= (this.high[i] as number);
    });
  }

  /** `value` moved to the nearest point of the box. @throws ShapeError, ArgumentError unless it is `[size]` numbers */
  clip(value: ArrayLike<number>): Float32Array {
    requireLength('Box.clip', 'value', value, this.size);
    for (let i = 0; i < this.size; i++) {
      if (typeof value[i] === 'number' && !Number.isNaN(value[i])) continue;
      throw new ArgumentError(`Box.clip: value[${i}] must be a number, got ${show(value[i])}.`);
    }
    return this.low.map((low, i) => Math.min(Math.max(value[i] as number, low), this.high[i] as number));
  }

  /** A uniform draw where both bounds are finite, else a standard normal draw clipped to the bounds. */
  sample(rng: Rng): Float32Array {
    requireRng('Box.sample', rng);
    const draw = this.low.map((low, i) => {
      const high = this.high[i] as number;
      return Number.isFinite(low) && Number.isFinite(high) ? rng.uniform(low, high) : rng.normal();
    });
    return this.clip(draw);
  }
}
