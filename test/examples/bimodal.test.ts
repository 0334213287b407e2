import { GaussianSampler } from 'diffrl';
import { describe, expect, it } from 'vitest';
import { dimeSampler, fit, totalVariation } from '../../examples/bimodal.js';

const short = { updates: 1500, batch: 128, count: 20_000 };

describe('a known target with two humps', () => {
  it("DIME's chain comes within 0.3 in total variation", async () => {
    expect(totalVariation(await fit(dimeSampler({ steps: 8 }), short))).toBeLessThan(0.3);
  }, 120_000);

  it('a Gaussian stays beyond 0.4', async () => {
    expect(totalVariation(await fit(new GaussianSampler({ hidden: [64, 64] }), short))).toBeGreaterThan(0.4);
  }, 120_000);
});
