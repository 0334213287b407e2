import { Rng } from 'diffrl';
import { describe, expect, it } from 'vitest';
import { methods, runLangevin, schedules, train } from '../../examples/gaussian-mixture.js';
import { draw, fitOf } from '../../examples/mixture/target.js';

const COUNT = 50_000;

describe('the mixture of the SDAC paper', () => {
  it('draws of the mixture itself set the floor', () => {
    const fit = fitOf(draw(Rng.fromSeed(1), COUNT));
    expect(fit.weight).toBeCloseTo(0.8, 1);
    expect(fit.klForward).toBeLessThan(0.025);
    expect(fit.klReverse).toBeLessThan(0.02);
    expect(fit.nearMode).toBeCloseTo(0.989, 2);
  });

  it('RSSM from a uniform distribution, truncated: weights 0.80 +- 0.12, KL below 0.12, 97 % near a mode', async () => {
    const sample = await train(methods['RSSM from U(-6, 6)'], {
      schedule: schedules.cosine,
      steps: 1500,
      batchSize: 256,
    });
    const fit = fitOf(await sample(COUNT));
    expect(Math.abs(fit.weight - 0.8)).toBeLessThan(0.12);
    expect(fit.klForward).toBeLessThan(0.12);
    expect(fit.nearMode).toBeGreaterThan(0.97);
  }, 120_000);

  it('20 steps of Langevin dynamics find both modes but miss their weights', async () => {
    const fit = fitOf(await runLangevin(Rng.fromSeed(1), COUNT));
    expect(fit.nearMode).toBeGreaterThan(0.97);
    expect(Math.abs(fit.weight - 0.54)).toBeLessThan(0.02);
  });
});
