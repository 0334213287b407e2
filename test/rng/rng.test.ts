import { ArgumentError, Rng } from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const moments = (values: ArrayLike<number>) => {
  const list = Array.from(values);
  const mean = list.reduce((sum, x) => sum + x, 0) / list.length;
  const central = (power: number) => list.reduce((sum, x) => sum + (x - mean) ** power, 0) / list.length;
  return { mean, variance: central(2), skewness: central(3), kurtosis: central(4) };
};

describe('Rng', () => {
  it('gives the same numbers for the same seed and others for another', () => {
    expect(Rng.fromSeed(7).normals(5)).toEqual(Rng.fromSeed(7).normals(5));
    expect(Rng.fromSeed(7).normals(5)).not.toEqual(Rng.fromSeed(8).normals(5));
    expect(Rng.fromSeed(1).uniform()).not.toBe(Rng.fromSeed(1 + 2 ** 32).uniform());
  });

  it('splits by key and label, not by how much was drawn', () => {
    const [fresh, used] = [Rng.fromSeed(3), Rng.fromSeed(3)];
    used.normals(100);
    expect(used.split('noise').uniforms(4)).toEqual(fresh.split('noise').uniforms(4));
    expect(fresh.split('noise').uniforms(4)).not.toEqual(fresh.split('replay').uniforms(4));
    expect(fresh.split(1).uniforms(4)).not.toEqual(fresh.split('1').uniforms(4));
  });

  it('children of 200 labels are uncorrelated: |r| of 1000 draws stays below 5 / sqrt(1000)', () => {
    const parent = Rng.fromSeed(0);
    const streams = Array.from({ length: 200 }, (_, i) => parent.split(i).normals(1000));
    for (let i = 1; i < streams.length; i++) {
      const product = streams[i]!.reduce((sum, x, j) => sum + x * streams[i - 1]![j]!, 0) / 1000;
      expect(Math.abs(product)).toBeLessThan(5 / Math.sqrt(1000));
    }
  });

  it('normals have the first four moments of N(0, 1) within 5 standard errors of 200 000 draws', () => {
    const n = 200_000;
    const { mean, variance, skewness, kurtosis } = moments(Rng.fromSeed(11).normals(n));
    expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(1 / n));
    expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(skewness)).toBeLessThan(5 * Math.sqrt(15 / n));
    expect(Math.abs(kurtosis - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
  });

  it('normals have the tails of N(0, 1): shares beyond 1, 2, 3, 3.45, 4 within 5 standard errors of 2 000 000 draws', () => {
    const n = 2_000_000;
    const values = Rng.fromSeed(4).normals(n);
    const tails: [number, number][] = [
      [1, 0.3173105],
      [2, 0.0455003],
      [3, 0.0026998],
      [3.45, 0.00056058],
      [4, 6.3342e-5],
    ];
    for (const [bound, share] of tails) {
      const found = values.reduce((sum, x) => sum + (Math.abs(x) > bound ? 1 : 0), 0) / n;
      expect(Math.abs(found - share)).toBeLessThan(5 * Math.sqrt(share / n));
    }
  });

  it('truncated normals stay within two standard deviations and have variance 0.7737', () => {
    const values = Rng.fromSeed(2).truncatedNormals(100_000, 0.5);
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(1);
    expect(moments(values).variance / 0.25).toBeCloseTo(0.7737, 2);
  });

  it('integers cover the range evenly: chi-square of 7 bins below its 1e-5 quantile', () => {
    const counts = new Array(7).fill(0);
    for (const i of Rng.fromSeed(5).integers(70_000, 7)) counts[i]++;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(chiSquare).toBeLessThan(33.1);
    expect(() => Rng.fromSeed(5).integers(1, 2 ** 32)).toThrow(/count must be an integer/);
  });

  it('goes on where a saved state was, at any point', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(50), (seed, draws) => {
        const rng = Rng.fromSeed(seed);
        rng.normals(draws);
        const copy = Rng.fromSeed(0);
        copy.prepare(rng.state())();
        expect(copy.uniforms(3)).toEqual(rng.uniforms(3));
        expect(copy.split('x').uniforms(3)).toEqual(rng.split('x').uniforms(3));
      }),
    );
  });

  it('uniform stays in its range', () => {
    const values = Rng.fromSeed(1).uniforms(10_000, -2, 3);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...values)).toBeLessThan(3);
  });

  it.each([-1, 1.5, Number.NaN, 2 ** 53])('refuses the seed %d', (seed) => {
    expect(() => Rng.fromSeed(seed)).toThrow(ArgumentError);
  });
});
