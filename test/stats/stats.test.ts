import {
  ArgumentError,
  interquartileMean,
  mean,
  NonFiniteError,
  quantile,
  Rng,
  std,
  stratifiedBootstrap,
} from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('summaries', () => {
  it('have known values', () => {
    const values = [2, 4, 4, 4, 5, 5, 7, 9];
    expect(mean(values)).toBe(5);
    expect(std(values)).toBeCloseTo(Math.sqrt(32 / 7), 12);
    expect(std([3])).toBe(0);
    // numpy.quantile(values, [0, 0.1, 0.25, 0.5, 1])
    [2, 3.4, 4, 4.5, 9].forEach((expected, i) => {
      expect(quantile(values, [0, 0.1, 0.25, 0.5, 1][i]!)).toBeCloseTo(expected, 12);
    });
  });

  it('the interquartile mean drops a quarter, rounded down, at either end (scipy.stats.trim_mean(values, 0.25))', () => {
    expect(interquartileMean([1, 2, 3, 4, 5, 6, 7, 1000])).toBe(4.5);
    expect(interquartileMean([1000, -7, 3, 5, 4])).toBe(4);
    expect(interquartileMean([1, 2, 30])).toBe(11);
  });

  it('move and scale with their values, lie between them, and ignore their order', () => {
    const values = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(values, fc.integer({ min: -9, max: 9 }), fc.integer({ min: 1, max: 9 }), (list, shift, scale) => {
        const moved = list.map((value) => scale * value + shift).reverse();
        expect(std(moved)).toBeCloseTo(scale * std(list), 6);
        for (const center of [mean, interquartileMean, (all: number[]) => quantile(all, 0.5)]) {
          expect(center(moved)).toBeCloseTo(scale * center(list) + shift, 6);
          expect(center(list)).toBeGreaterThanOrEqual(Math.min(...list) - 1e-9);
          expect(center(list)).toBeLessThanOrEqual(Math.max(...list) + 1e-9);
        }
      }),
    );
  });

  it('refuse nothing, NaN and fractions beyond [0, 1]', () => {
    for (const statistic of [mean, std, interquartileMean]) {
      expect(() => statistic([])).toThrow(ArgumentError);
      expect(() => statistic([1, Number.NaN])).toThrow(NonFiniteError);
    }
    expect(() => quantile([1], 1.1)).toThrow(/fraction/);
  });
});

describe('stratifiedBootstrap', () => {
  it('covers the true mean about as often as it says: 400 normal samples of 20, 90 %; a bound of 4 standard deviations', () => {
    const rng = Rng.fromSeed(11);
    let covered = 0;
    for (let i = 0; i < 400; i++) {
      const { low, high } = stratifiedBootstrap([[...rng.normals(20, 3, 2)]], {
        statistic: (scores) => mean(scores.flat()),
        confidence: 0.9,
        resamples: 200,
        rng,
      });
      if (low <= 3 && 3 <= high) covered += 1;
    }
    // The percentile bootstrap of 20 values covers a little less than it says: 0.87, so 348 +- 6.7.
    expect(covered).toBeGreaterThan(348 - 27);
    expect(covered).toBeLessThan(348 + 27);
  });

  it('draws within tasks: tasks that differ but do not vary give no width', () => {
    expect(
      stratifiedBootstrap(
        [
          [1, 1, 1],
          [5, 5, 5],
          [9, 9, 9],
        ],
        { resamples: 50 },
      ),
    ).toEqual({ estimate: 5, low: 5, high: 5 });
  });

  it('has the width that theory gives: the standard error of a mean of 400, within 10 %', () => {
    const scores = [...Rng.fromSeed(2).normals(400)];
    const { low, high } = stratifiedBootstrap([scores], { statistic: (all) => mean(all.flat()), resamples: 4000 });
    expect((high - low) / (2 * 1.96 * (std(scores) / 20))).toBeGreaterThan(0.9);
    expect((high - low) / (2 * 1.96 * (std(scores) / 20))).toBeLessThan(1.1);
  });

  it('is the same for the same scores, and names its faults', () => {
    const scores = [
      [1, 2, 3, 7],
      [4, 5, 5, 9],
    ];
    expect(stratifiedBootstrap(scores)).toEqual(stratifiedBootstrap(scores));
    expect(() => stratifiedBootstrap([[1], []])).toThrow(/at least one run for each task/);
    expect(() => stratifiedBootstrap([])).toThrow(ArgumentError);
    expect(() => stratifiedBootstrap([[1, 2]], { confidence: 1 })).toThrow(/confidence must be a number > 0 and < 1/);
    expect(() => stratifiedBootstrap([[1, Number.NaN]])).toThrow(/scores\[0\]\[1\] is NaN/);
    expect(() => stratifiedBootstrap([1, 2] as never)).toThrow(/scores must be lists \[tasks\]\[runs\], got \[1, 2\]/);
  });

  it('refuses single runs, as swapped axes give them, instead of an interval of width 0', () => {
    expect(() => stratifiedBootstrap([[-152], [-148], [-160]])).toThrow(/two or more runs.*one task with 3 runs pass/);
    expect(() => stratifiedBootstrap([[5]])).toThrow(/two or more runs of a task, got one run of each\.$/);
    expect(stratifiedBootstrap([[1], [2, 4]]).low).toBeLessThan(3);
  });
});
