import { Rng } from 'diffrl';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { minibatches } from '../../src/agents/updateScaling.js';
import { TransitionIndex } from '../../src/mdp/transitionIndex.js';

const sizes = fc.record({
  outer: fc.integer({ min: 1, max: 12 }).chain((t) => fc.constant(t * 2)),
  steps: fc.integer({ min: 1, max: 5 }),
  size: fc.integer({ min: 1, max: 20 }),
});

it.each(['minibatches', 'none'] as const)(
  '%s: an epoch sees every transition at most once, and all but a remainder',
  (scaling) => {
    const property = fc.property(sizes, fc.nat(100), ({ outer, steps, size }, seed) => {
      const batches = minibatches(Rng.fromSeed(seed), new TransitionIndex(2, steps), { outer, size, scaling });
      const seen = batches.flatMap((batch) => [...batch]);
      expect(new Set(seen).size).toBe(seen.length);
      expect(Math.max(...seen)).toBeLessThan(outer * steps);
      expect(outer * steps - seen.length).toBeLessThan(batches[0]!.length);
      expect(new Set(batches.map((batch) => batch.length)).size).toBe(1);
      expect(batches[0]!.length).toBe(Math.min(outer * steps, scaling === 'none' ? size * steps : size));
    });
    fc.assert(property);
  },
);

it('subsample: an epoch sees one diffusion step of each environment step', () => {
  const property = fc.property(sizes, fc.nat(100), ({ outer, steps }, seed) => {
    const [batch] = minibatches(Rng.fromSeed(seed), new TransitionIndex(2, steps), {
      outer,
      size: outer,
      scaling: 'subsample',
    });
    const environmentSteps = [...batch!].map((index) => Math.floor(index / (2 * steps)) * 2 + (index % 2));
    expect(new Set(environmentSteps).size).toBe(outer);
  });
  fc.assert(property);
});

it('subsample draws all steps alike (chi-square below its 99.9 % point)', () => {
  const counts = new Array<number>(5).fill(0);
  const rng = Rng.fromSeed(3);
  for (let i = 0; i < 50; i++) {
    const batches = minibatches(rng, new TransitionIndex(2, 5), { outer: 40, size: 40, scaling: 'subsample' });
    for (const index of batches[0]!) counts[Math.floor(index / 2) % 5]!++;
  }
  const chiSquare = counts.reduce((sum, count) => sum + (count - 400) ** 2 / 400, 0);
  expect(chiSquare).toBeLessThan(18.5);
});
