import { ArgumentError, powerStepsSchedule } from 'diffrl';
import { expect, it } from 'vitest';

it("gives DMERL's coefficients (published to 3 digits)", () => {
  const etas = powerStepsSchedule({ steps: 8, min: 0.17 }).stepSizes.map((size) => 0.5 * size);
  const published = [0.5, 0.448, 0.396, 0.344, 0.293, 0.241, 0.189, 0.137];
  published.forEach((eta, k) => expect(Math.abs(etas[k]! - eta)).toBeLessThan(5.1e-4));
});

it('spreads a given total over any number of steps', () => {
  for (const steps of [1, 4, 32]) {
    const { stepSizes } = powerStepsSchedule({ steps, total: 12.5 });
    expect(stepSizes.reduce((sum, size) => sum + size)).toBeCloseTo(12.5, 12);
  }
});

it('refuses sizes that make no schedule', () => {
  expect(() => powerStepsSchedule({ steps: 0 })).toThrow(ArgumentError);
  expect(() => powerStepsSchedule({ steps: 4, min: -0.1 })).toThrow(ArgumentError);
  expect(() => powerStepsSchedule({ steps: 4, power: -1 })).toThrow(ArgumentError);
  expect(() => powerStepsSchedule({ steps: 4, total: -1 })).toThrow(ArgumentError);
});
