import { probabilityOfImprovement } from 'diffrl';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const runs = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 6 });

it('counts the pairs that the first wins, ties half, each task alike', () => {
  // Task 1: 2 > 1, 2 > 1, 2 = 2 -> 2.5 of 3; task 2: never.
  const { estimate, low, high } = probabilityOfImprovement([[2], [0, 0]], [[1, 1, 2], [7]]);
  expect(estimate).toBeCloseTo((2.5 / 3 + 0) / 2, 12);
  expect(low).toBeLessThanOrEqual(estimate);
  expect(high).toBeGreaterThanOrEqual(estimate);
  expect(probabilityOfImprovement([[5, 6]], [[1, 2, 3]])).toEqual({ estimate: 1, low: 1, high: 1 });
});

it('of a over b and of b over a add up to 1', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(runs, runs), { minLength: 1, maxLength: 3 }), (tasks) => {
      const [a, b] = [tasks.map(([first]) => first), tasks.map(([, second]) => second)];
      const sum = probabilityOfImprovement(a, b, 10).estimate + probabilityOfImprovement(b, a, 10).estimate;
      expect(sum).toBeCloseTo(1, 12);
    }),
  );
});

it('refuses other tasks and empty ones', () => {
  expect(() => probabilityOfImprovement([[1]], [])).toThrow(/each of the same tasks/);
  expect(() => probabilityOfImprovement([[1]], [[]])).toThrow(/at least one run/);
  expect(() => probabilityOfImprovement([[1]], [[2]], 1.5)).toThrow(/resamples must be an integer >= 1/);
});
