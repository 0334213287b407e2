import { Rng, RunningMoments } from 'diffrl';
import { describe, expect, it } from 'vitest';
import { RewardScale } from '../../src/ops/rewardScale.js';

describe('RunningMoments', () => {
  const rows = Rng.fromSeed(1).normals(3 * 40, 5, 2);
  const column = (i: number) => Array.from(rows).filter((_, index) => index % 3 === i);
  const std = (values: number[]) => {
    const mean = values.reduce((a, b) => a + b) / values.length;
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  };

  it('is the same in one batch or many, and right (1e-9)', () => {
    const [whole, parts] = [new RunningMoments(3), new RunningMoments(3)];
    whole.add(rows);
    for (const [from, to] of [
      [0, 1],
      [1, 2],
      [2, 17],
      [17, 40],
    ] as const)
      parts.add(rows.slice(3 * from, 3 * to));
    for (const i of [0, 1, 2]) {
      expect(whole.std(i)).toBeCloseTo(std(column(i)), 9);
      expect(parts.std(i)).toBeCloseTo(whole.std(i), 9);
    }
    expect(parts.normalise(rows).every((value, i) => Math.abs(value - whole.normalise(rows)[i]!) < 1e-6)).toBe(true);
  });

  it('gives rows of mean 0 and standard deviation 1, cut at the limit', () => {
    const moments = new RunningMoments(3);
    moments.add(rows);
    const normalised = Array.from(moments.normalise(rows)).filter((_, index) => index % 3 === 1);
    expect(normalised.reduce((a, b) => a + b)).toBeCloseTo(0, 4);
    expect(std(normalised)).toBeCloseTo(1, 5);
    expect([...moments.normalise(Float32Array.of(1e6, -1e6, 5))].slice(0, 2)).toEqual([10, -10]);
  });

  it('leaves constants finite and passes everything on before it has seen two rows', () => {
    const moments = new RunningMoments(1);
    expect([...moments.normalise(Float32Array.of(3))]).toEqual([3]);
    moments.add(Float32Array.of(3, 3, 3));
    expect([...moments.normalise(Float32Array.of(3))]).toEqual([0]);
  });

  it('goes on from its state', () => {
    const [moments, twin] = [new RunningMoments(3), new RunningMoments(3)];
    moments.add(rows.slice(0, 60));
    twin.prepare(moments.state())();
    for (const one of [moments, twin]) one.add(rows.slice(60));
    expect(twin.state()).toEqual(moments.state());
  });
});

describe('RewardScale', () => {
  it('is the standard deviation of the discounted return, begun anew with each episode', () => {
    const scale = new RewardScale(0.5);
    scale.add(Float32Array.of(1, 2), [0, 1]);
    scale.add(Float32Array.of(1, 2), [0, 0]);
    const returns = [1, 2, 1.5, 2];
    const mean = 6.5 / 4;
    const expected = Math.sqrt(returns.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4);
    expect(scale.value).toBeCloseTo(expected, 12);
  });

  it('goes on from its state', () => {
    const [scale, twin] = [new RewardScale(0.9), new RewardScale(0.9)];
    for (let i = 0; i < 5; i++) scale.add(Float32Array.of(i, -i), [0, 0]);
    twin.prepare(scale.state())();
    for (const one of [scale, twin]) one.add(Float32Array.of(1, 1), [0, 0]);
    expect(twin.value).toBe(scale.value);
  });
});
