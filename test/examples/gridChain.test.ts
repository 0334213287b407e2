import { describe, expect, it } from 'vitest';
import { chainBound, stepTimes, twoModes } from '../../examples/dmerl/gridChain.js';

const linear = (steps: number) => stepTimes(steps, 6, (share) => 0.05 + 0.95 * share);
const bound = (steps: number, variance: 'fixed' | 'matched' = 'fixed') =>
  chainBound(twoModes, linear(steps), 1.5, variance);

describe('bound of a chain against its number of steps, two modes', () => {
  it.each([
    [1, 3.623, 3.623, 0],
    [2, 2.209, 2.007, 0.202],
    [4, 1.496, 1.106, 0.39],
    [8, 0.938, 0.502, 0.436],
    [16, 0.475, 0.161, 0.314],
  ])('K = %i is what was computed independently (1e-3)', (steps, joint, marginal, gap) => {
    const got = bound(steps);
    expect(Math.abs(got.joint - joint)).toBeLessThan(1e-3);
    expect(Math.abs(got.marginal - marginal)).toBeLessThan(1e-3);
    expect(Math.abs(got.gap - gap)).toBeLessThan(1e-3);
  });

  it('falls with K, for paths and for actions', () => {
    const bounds = [1, 2, 4, 8, 16].map((steps) => bound(steps));
    for (const part of ['joint', 'marginal'] as const) {
      bounds.slice(1).forEach((next, i) => expect(next[part]).toBeLessThan(bounds[i]![part]));
    }
  });

  it('is tighter with a variance of its own for each step', () => {
    for (const steps of [2, 4, 8, 16]) expect(bound(steps, 'matched').joint).toBeLessThan(bound(steps).joint);
  });
});
