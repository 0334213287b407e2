import { dimeCosineSchedule, powerStepsSchedule } from 'diffrl';
import { describe, expect, it } from 'vitest';
import { clipBounds } from '../../src/agents/dmerl/clipScaling.js';

const even = powerStepsSchedule({ steps: 4, power: 0 });

describe('clipBounds', () => {
  it.each([
    ['sqrtK', [0.1, 0.1, 0.1, 0.1]],
    ['delta', [0.1, 0.1, 0.1, 0.1]],
    ['linearK', [0.05, 0.05, 0.05, 0.05]],
    ['none', [0.2, 0.2, 0.2, 0.2]],
  ] as const)('%s, four even steps', (scaling, expected) => {
    clipBounds(scaling, 0.2, even).forEach((bound, k) => expect(bound).toBeCloseTo(expected[k]!, 12));
  });

  it("'delta' gives a step the root of its share of the time", () => {
    const schedule = dimeCosineSchedule({ steps: 5 });
    const bounds = clipBounds('delta', 0.3, schedule);
    expect(bounds.reduce((sum, bound) => sum + bound ** 2, 0)).toBeCloseTo(0.09, 12);
    expect(bounds[0]! / bounds[3]!).toBeCloseTo(Math.sqrt(schedule.stepSizes[0]! / schedule.stepSizes[3]!), 12);
  });

  it("'dppo' grows from a tenth to the whole", () => {
    const bounds = clipBounds('dppo', 0.2, even);
    expect(bounds[0]).toBeCloseTo(0.02, 12);
    expect(bounds[3]).toBeCloseTo(0.2, 12);
    expect(bounds[1]! / bounds[0]!).toBeLessThan(bounds[3]! / bounds[2]! + 1);
  });

  it("'dppo' takes the whole for a chain of one step", () => {
    expect(clipBounds('dppo', 0.2, powerStepsSchedule({ steps: 1, power: 0 }))).toEqual([0.2]);
  });

  it('takes a function', () => {
    expect(clipBounds((k, steps) => (k + 1) / steps, 0.2, even)[1]).toBeCloseTo(0.1, 12);
  });
});
