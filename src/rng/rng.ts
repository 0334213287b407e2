import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import { ArgumentError, requireInteger, requireNumber, show } from '../errors.js';
import { readEntries, type StateDict, type Stateful, stateArray } from '../state.js';
import { ziggurat } from './ziggurat.js';

/**
 * A seeded stream of random numbers that can be split into named, independent streams, saved and restored.
 *
 * The generator is xoroshiro128+ (package `pure-rand`). {@link Rng.split} depends only on the stream's key and
 * the label, never on how much was drawn, so adding a consumer does not change what the others see.
 *
 * @example
 * ```ts
 * const rng = Rng.fromSeed(1);
 * const noise = rng.split('noise').normals(256 * 6); // Float32Array, N(0, 1)
 * ```
 */
export class Rng implements Stateful {
  private constructor(
    private readonly key: Uint32Array,
    private generator = xoroshiro128plusFromState([...key]),
  ) {}

  /** A stream from an integer seed in [0, 2^53). @throws ArgumentError for anything else */
  static fromSeed(seed: number): Rng {
    requireInteger('Rng.fromSeed', 'seed', seed, { min: 0 });
    return new Rng(hash([seed >>> 0, Math.floor(seed / 2 ** 32)]));
  }

  /** A new stream, independent of this one and of the children under other labels. Draws nothing from this stream. @throws ArgumentError for another label */
  split(label: string | number): Rng {
    if (typeof label !== 'string' && !Number.isFinite(label)) {
      throw new ArgumentError(`Rng.split: label must be a text or a finite number, got ${show(label)}.`);
    }
    const codes = Array.from(`${label}`, (character) => character.codePointAt(0) as number);
    return new Rng(hash([...this.key, typeof label === 'number' ? 1 : 2, ...codes]));
  }

  /** A whole number in [0, 2^32). */
  uint32(): number {
    return this.generator.next() >>> 0;
  }

  /** A number in [low, high), with 53 random bits. */
  uniform(low = 0, high = 1): number {
    requireNumber('Rng.uniform', 'low', low);
    requireNumber('Rng.uniform', 'high', high);
    const unit = ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) * 2 ** -53;
    return low + (high - low) * unit;
  }

  /** A whole number in [0, count). @throws ArgumentError unless count is an integer in [1, 2^32] */
  integer(count: number): number {
    requireInteger('Rng.integer', 'count', count, { min: 1, max: 2 ** 32 });
    const unbiased = 2 ** 32 - (2 ** 32 % count);
    let draw = this.uint32();
    while (draw >= unbiased) draw = this.uint32();
    return draw % count;
  }

  /** `size` whole numbers in [0, count). @throws ArgumentError unless count is an integer in [1, 2^31], all that int32 holds */
  integers(size: number, count: number): Int32Array {
    requireSize('Rng.integers', size);
    requireInteger('Rng.integers', 'count', count, { min: 1, max: 2 ** 31 });
    return Int32Array.from({ length: size }, () => this.integer(count));
  }

  /** One draw from N(mean, std^2). @throws ArgumentError for a negative std */
  normal(mean = 0, std = 1): number {
    requireNumber('Rng.normal', 'mean', mean);
    requireNumber('Rng.normal', 'std', std, { min: 0 });
    return mean + std * ziggurat(() => this.generator.next());
  }

  /** `size` draws from N(mean, std^2). @throws ArgumentError for a negative std */
  normals(size: number, mean = 0, std = 1): Float32Array {
    requireSize('Rng.normals', size);
    requireNumber('Rng.normals', 'mean', mean);
    requireNumber('Rng.normals', 'std', std, { min: 0 });
    const word = () => this.generator.next();
    const values = new Float32Array(size);
    for (let i = 0; i < size; i++) values[i] = mean + std * ziggurat(word);
    return values;
  }

  /** `size` draws from N(0, std^2) cut to [-2 std, 2 std]. */
  truncatedNormals(size: number, std = 1): Float32Array {
    requireNumber('Rng.truncatedNormals', 'std', std, { min: 0 });
    const values = this.normals(size);
    for (let i = 0; i < size; i++) {
      while (Math.abs(values[i] as number) > 2) values[i] = this.normal();
      values[i] = std * (values[i] as number);
    }
    return values;
  }

  /** `size` draws from the uniform distribution on [low, high), with the 24 random bits of a float32. */
  uniforms(size: number, low = 0, high = 1): Float32Array {
    requireSize('Rng.uniforms', size);
    requireNumber('Rng.uniforms', 'low', low);
    requireNumber('Rng.uniforms', 'high', high);
    const values = new Float32Array(size);
    for (let i = 0; i < size; i++) values[i] = low + (high - low) * (this.uint32() >>> 8) * 2 ** -24;
    return values;
  }

  state(): StateDict {
    return {
      key: stateArray(this.key.slice()),
      generator: stateArray(Uint32Array.from(this.generator.getState(), (word) => word >>> 0)),
    };
  }

  prepare(state: StateDict): () => void {
    const { key, generator } = readEntries(state, { key: 4, generator: 4 });
    const restored = xoroshiro128plusFromState(Array.from(generator, (word) => word | 0));
    return () => {
      this.key.set(key);
      this.generator = restored;
    };
  }
}

/** How many numbers an array of draws may hold. */
function requireSize(where: string, size: number): void {
  requireInteger(where, 'size', size, { min: 0, max: 2 ** 31 });
}

/** Four well-mixed words from any list of words (the mixing steps of MurmurHash3, once per output word). */
function hash(words: readonly number[]): Uint32Array {
  return Uint32Array.from([1, 2, 3, 4], (lane) => {
    let h = Math.imul(lane, 0x9e3779b9);
    for (const word of words) {
      let k = Math.imul(word, 0xcc9e2d51);
      k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
      h ^= k;
      h = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64;
    }
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return h ^ (h >>> 16);
  });
}

/** Throws an {@link ArgumentError} unless `rng` is a stream of random numbers. */
export function requireRng(where: string, rng: unknown): asserts rng is Rng {
  if (rng instanceof Rng) return;
  throw new ArgumentError(`${where}: rng must be a stream such as Rng.fromSeed(1), got ${show(rng)}.`);
}
