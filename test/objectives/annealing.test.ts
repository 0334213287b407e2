import { ArgumentError, annealing } from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const shapes = ['linear', 'cosine', 'exponential'] as const;

describe('annealing', () => {
  it.each(shapes)('%s goes monotonically from one value to the other and stays', (shape) => {
    const value = annealing({ from: 0.5, to: 0.02, duration: 1000, warmup: 100, shape });
    expect(value(0)).toBe(0.5);
    expect(value(100)).toBe(0.5);
    expect(value(1100)).toBeCloseTo(0.02, 12);
    expect(value(1e9)).toBe(value(1100));
    for (let steps = 100; steps < 1100; steps += 50) expect(value(steps + 50)).toBeLessThan(value(steps));
  });

  it('is half way, or at the geometric mean, in the middle', () => {
    const middle = (shape: (typeof shapes)[number]) => annealing({ from: 0.4, to: 0.1, duration: 10, shape })(5);
    expect(middle('linear')).toBeCloseTo(0.25, 12);
    expect(middle('cosine')).toBeCloseTo(0.25, 12);
    expect(middle('exponential')).toBeCloseTo(0.2, 12);
  });

  it('goes through given places in straight lines', () => {
    const value = annealing({
      from: 1,
      to: 0,
      duration: 100,
      shape: [
        [0.5, 0.8],
        [0.75, 0.1],
      ],
    });
    const expected = { 0: 1, 25: 0.9, 50: 0.8, 60: 0.52, 75: 0.1, 100: 0 };
    for (const [steps, at] of Object.entries(expected)) expect(value(Number(steps))).toBeCloseTo(at, 12);
  });

  it('with no places is linear', () => {
    const property = fc.property(fc.double({ min: 0, max: 200, noNaN: true }), (steps) => {
      const options = { from: 3, to: 1, duration: 100 };
      expect(annealing({ ...options, shape: [] })(steps)).toBeCloseTo(annealing(options)(steps), 10);
    });
    fc.assert(property);
  });

  it('refuses what is no schedule', () => {
    const options = { from: 1, to: 0, duration: 10 };
    expect(() => annealing({ ...options, shape: 'exponential' })).toThrow(ArgumentError);
    expect(() => annealing({ ...options, from: -1 })).toThrow(ArgumentError);
    expect(() => annealing({ ...options, duration: 0 })).toThrow(ArgumentError);
    expect(() =>
      annealing({
        ...options,
        shape: [
          [0.5, 1],
          [0.5, 2],
        ],
      }),
    ).toThrow(ArgumentError);
    expect(() => annealing({ ...options, shape: 'quadratic' as 'linear' })).toThrow(ArgumentError);
  });
});
