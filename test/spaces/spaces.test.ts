import { ArgumentError, Box, Discrete, Rng } from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('Box', () => {
  it('contains what it samples and what it clips', () => {
    const bound = fc.float({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(bound, bound), { minLength: 1, maxLength: 5 }), fc.nat(), (pairs, seed) => {
        const box = new Box(
          pairs.map((pair) => Math.min(...pair)),
          pairs.map((pair) => Math.max(...pair)),
        );
        expect(box.contains(box.sample(Rng.fromSeed(seed)))).toBe(true);
        expect(box.contains(box.clip(pairs.map(() => 1e6 * ((seed % 3) - 1))))).toBe(true);
      }),
    );
  });

  it('does not contain NaN, other sizes or what lies outside', () => {
    const box = Box.uniform(2, -1, 1);
    expect(box.contains([0, 1])).toBe(true);
    expect(box.contains([0, 1.001])).toBe(false);
    expect(box.contains([0, Number.NaN])).toBe(false);
    expect(box.contains([0])).toBe(false);
  });

  it('samples unbounded entries too', () => {
    expect(Box.uniform(3).isBounded).toBe(false);
    expect(Box.uniform(3).sample(Rng.fromSeed(0)).every(Number.isFinite)).toBe(true);
  });

  it('says what is wrong with its bounds', () => {
    expect(() => new Box([0], [0, 1])).toThrow('Box: low and high must have one length >= 1, got 1 and 2.');
    expect(() => new Box([0, 2], [1, 1])).toThrow('Box: low[1] = 2 must not exceed high[1] = 1.');
    expect(() => new Box([Number.NaN], [1])).toThrow(ArgumentError);
  });
});

describe('Discrete', () => {
  it('contains exactly its numbers, and samples all of them', () => {
    const space = new Discrete(3, 5);
    expect([4, 5, 7, 8, 5.5].map((x) => space.contains([x]))).toEqual([false, true, true, false, false]);
    const rng = Rng.fromSeed(0);
    expect(new Set(Array.from({ length: 50 }, () => space.sample(rng)[0]))).toEqual(new Set([5, 6, 7]));
  });
});
