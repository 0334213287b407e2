import { expect, it } from 'vitest';
import { totalVariation } from '../../examples/bimodal.js';
import { explored, shares } from '../../examples/twoHumps.js';

it('SDAC has both humps after 300 updates, each with a quarter of its actions or more', async () => {
  const samples = await explored('sdac', 300, 4000);
  expect(Math.min(...shares(samples))).toBeGreaterThan(0.25);
  expect(totalVariation(samples)).toBeLessThan(0.6);
});
