import {
  ArgumentError,
  cosineSchedule,
  dimeCosineSchedule,
  linearSchedule,
  type NoiseSchedule,
  scheduleFromBetas,
  scheduleFromStepSizes,
  squareRootSchedule,
  variancePreservingSchedule,
} from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

// beta_1, beta_20, alphaBar_10, alphaBar_20, posterior variance 2 and 20, for T = 20; four digits as published.
const ddpmTable: [string, NoiseSchedule, number[]][] = [
  ['linear x 0.8', linearSchedule({ steps: 20, scale: 0.8 }), [8e-5, 0.7992, 0.1094, 5.268e-6, 7.985e-5, 0.7992]],
  ['linear x 0.3', linearSchedule({ steps: 20, scale: 0.3 }), [3e-5, 0.2997, 0.4731, 3.464e-2, 2.994e-5, 0.2951]],
  ['cosine', cosineSchedule({ steps: 20 }), [7.993e-3, 0.999, 0.4938, 6.06e-6, 5.75e-3, 0.993]],
  ['cosine x 0.8', cosineSchedule({ steps: 20, scale: 0.8 }), [6.394e-3, 0.7992, 0.5719, 4.685e-3, 4.594e-3, 0.7842]],
  ['vp', variancePreservingSchedule({ steps: 20 }), [1.722e-2, 0.3859, 0.276, 6.409e-3, 1.23e-2, 0.3844]],
  ['square root', squareRootSchedule({ steps: 20 }), [0.16626, 0.999, 0.31548, 2.331e-5, 0.073201, 0.97574]], // own computation
];

// sqrt(1 / alphaBar - 1) at steps 1, 10 and 20, as published.
const noiseToSignal: [string, number[]][] = [
  ['linear x 0.8', [8.94e-3, 2.853, 435.7]],
  ['linear x 0.3', [5.5e-3, 1.055, 5.28]],
  ['cosine', [0.0898, 1.012, 406.2]],
  ['cosine x 0.8', [0.0802, 0.865, 14.6]],
  ['vp', [0.1324, 1.62, 12.45]],
];

describe('DDPM schedules', () => {
  it.each(ddpmTable)('%s matches the published table to its four digits', (_, schedule, expected) => {
    const { betas, alphaBars, posteriorVariances } = schedule;
    const got = [betas[0], betas[19], alphaBars[9], alphaBars[19], posteriorVariances[1], posteriorVariances[19]];
    got.forEach((value, i) => expect(Math.abs((value as number) / (expected[i] as number) - 1)).toBeLessThan(6e-4));
  });

  it.each(noiseToSignal)('%s has the published ratio of noise to signal (0.5 %%)', (name, expected) => {
    const { alphaBars } = ddpmTable.find(([each]) => each === name)![1];
    [0, 9, 19].forEach((i, n) => {
      expect(Math.abs(Math.sqrt(1 / alphaBars[i]! - 1) / expected[n]! - 1)).toBeLessThan(5e-3);
    });
  });

  it('the first posterior variance is zero: the data is known at the last step', () => {
    for (const [, schedule] of ddpmTable) expect(schedule.posteriorVariances[0]).toBe(0);
  });
});

describe('dimeCosineSchedule', () => {
  it('matches the released code for 16 steps to 1e-8', () => {
    const expected = [
      0.99984475, 0.98799079, 0.95769808, 0.91011241, 0.84703365, 0.77084767, 0.68443611, 0.59106739, 0.49427308,
      0.39771428, 0.30504324, 0.2197651, 0.14510543, 0.08388813, 0.03842867, 0.01044649,
    ];
    const { stepSizes } = dimeCosineSchedule({ steps: 16 });
    stepSizes.forEach((size, k) => expect(size).toBeCloseTo(expected[k] as number, 7));
    expect(stepSizes.reduce((sum, size) => sum + size)).toBeCloseTo(8.4436952681, 9);
  });

  it.each([
    [2, 0.149],
    [4, 0.249],
    [8, 0.447],
    [16, 0.844],
    [32, 1.639],
  ])('K = %i takes %f of total time at dt 0.1', (steps, total) => {
    const { stepSizes } = dimeCosineSchedule({ steps });
    expect(0.1 * stepSizes.reduce((sum, size) => sum + size)).toBeCloseTo(total, 3);
  });
});

describe('every schedule', () => {
  it('reads the same as betas and as step sizes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1e-4, max: 0.99, noNaN: true }), { minLength: 1, maxLength: 30 }),
        (betas) => {
          const there = scheduleFromBetas('there', betas);
          const back = scheduleFromStepSizes('back', there.stepSizes);
          back.betas.forEach((beta, i) => expect(beta).toBeCloseTo(betas[i] as number, 10));
          expect(there.stepSizes.length).toBe(there.steps);
          expect(there.alphaBars.every((bar, i) => bar < (there.alphaBars[i - 1] ?? 1))).toBe(true);
        },
      ),
    );
  });

  it('is immutable', () => {
    const schedule = cosineSchedule({ steps: 3 });
    expect(() => Object.assign(schedule.betas, { 0: 1 })).toThrow(TypeError);
    expect(() => Object.assign(schedule, { steps: 4 })).toThrow(TypeError);
  });

  it('says what is wrong with its arguments', () => {
    expect(() => cosineSchedule({ steps: 0 })).toThrow(
      'cosineSchedule: steps must be an integer >= 1 and <= 100000, got 0.',
    );
    expect(() => linearSchedule({ steps: 4, scale: 2 })).toThrow(ArgumentError);
    expect(() => variancePreservingSchedule({ steps: 2.5 })).toThrow(ArgumentError);
    expect(() => dimeCosineSchedule({ steps: 4, min: 0 })).toThrow(ArgumentError);
    expect(() => scheduleFromBetas('mine', [])).toThrow(
      'mine: betas must be one or more numbers in (0, 1), got an empty list.',
    );
  });
});
