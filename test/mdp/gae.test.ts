import { type AugmentedSegment, augmentedDiscounts, augmentedGae, ShapeError } from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numbers } from './vector.js';

interface Case {
  steps: number;
  numEnvs: number;
  length: number;
  seed: number;
}

const anyCase: fc.Arbitrary<Case> = fc.record({
  steps: fc.integer({ min: 1, max: 6 }),
  numEnvs: fc.integer({ min: 1, max: 3 }),
  length: fc.integer({ min: 1, max: 12 }),
  seed: fc.nat(10_000),
});

function segmentOf({ steps, numEnvs, length, seed }: Case): AugmentedSegment {
  const outer = length * numEnvs;
  const flags = numbers(seed + 1, outer);
  return {
    numEnvs,
    rewards: numbers(seed + 2, outer),
    logRatios: numbers(seed + 3, outer * steps),
    values: numbers(seed + 4, outer * steps),
    bootstrapValues: numbers(seed + 5, outer),
    terminated: Uint8Array.from(flags, (x) => Number(x > 1)),
    truncated: Uint8Array.from(flags, (x) => Number(x < -1)),
  };
}

/** Textbook GAE of one environment, recursion written out. */
function plainGae(
  rewards: number[],
  values: number[],
  bootstrap: number[],
  over: Flags,
  gamma: number,
  lambda: number,
) {
  const advantages: number[] = [];
  for (let t = rewards.length - 1; t >= 0; t--) {
    const cut = over.terminated[t] || over.truncated[t] || t === rewards.length - 1;
    const next = over.terminated[t] ? 0 : cut ? bootstrap[t]! : values[t + 1]!;
    const carried = over.terminated[t] || over.truncated[t] ? 0 : (advantages[0] ?? 0);
    advantages.unshift(rewards[t]! + gamma * next - values[t]! + gamma * lambda * carried);
  }
  return advantages;
}

type Flags = { terminated: number[]; truncated: number[] };

const temperature = 0.3;

describe('augmentedGae', () => {
  it('with phase discounts is, at the first diffusion step, GAE on R - T sum l (1e-12)', () => {
    const property = fc.property(anyCase, (sizes) => {
      const { steps, numEnvs, length } = sizes;
      const segment = segmentOf(sizes);
      const discounts = augmentedDiscounts({ diffusionSteps: steps, gamma: 0.9, lambda: 0.8 });
      const { advantages } = augmentedGae(segment, temperature, discounts);
      for (let env = 0; env < numEnvs; env++) {
        const times = Array.from({ length }, (_, t) => t);
        const column = (values: ArrayLike<number>) => times.map((t) => values[t * numEnvs + env]!);
        const phase = (values: ArrayLike<number>, t: number, k: number) => values[(t * steps + k) * numEnvs + env]!;
        const cost = (t: number) =>
          Array.from({ length: steps }, (_, k) => phase(segment.logRatios, t, k)).reduce((a, b) => a + b);
        const expected = plainGae(
          column(segment.rewards).map((reward, t) => reward - temperature * cost(t)),
          times.map((t) => phase(segment.values, t, 0)),
          column(segment.bootstrapValues),
          { terminated: column(segment.terminated), truncated: column(segment.truncated) },
          0.9,
          0.8,
        );
        for (const t of times) expect(Math.abs(phase(advantages, t, 0) - expected[t]!)).toBeLessThan(1e-12 * 100);
      }
    });
    fc.assert(property, { numRuns: 60 });
  });

  it('within a phase obeys A_k+1 = A_k + V_k + T l_k - V_k+1 (1e-12)', () => {
    const property = fc.property(anyCase, (sizes) => {
      const segment = segmentOf(sizes);
      const { steps, numEnvs, length } = sizes;
      const { advantages } = augmentedGae(
        segment,
        temperature,
        augmentedDiscounts({ diffusionSteps: steps, gamma: 0.9, lambda: 0.8 }),
      );
      for (let t = 0; t < length; t++) {
        for (let k = 0; k + 1 < steps; k++) {
          const here = (t * steps + k) * numEnvs;
          const next = here + numEnvs;
          const expected =
            advantages[here]! + segment.values[here]! + temperature * segment.logRatios[here]! - segment.values[next]!;
          expect(Math.abs(advantages[next]! - expected)).toBeLessThan(1e-11);
        }
      }
    });
    fc.assert(property, { numRuns: 60 });
  });

  it('with K = 1 is the same in every mode', () => {
    const segment = segmentOf({ steps: 1, numEnvs: 2, length: 8, seed: 4 });
    const modes = (['phase', 'root', 'flat'] as const).map((mode) =>
      augmentedGae(segment, temperature, augmentedDiscounts({ diffusionSteps: 1, gamma: 0.9, lambda: 0.8, mode })),
    );
    expect(modes[1]).toEqual(modes[0]);
    expect(modes[2]).toEqual(modes[0]);
  });

  it('does not look past a termination, whatever stands there', () => {
    const sizes = { steps: 2, numEnvs: 1, length: 3, seed: 8 };
    const ended = { ...segmentOf(sizes), terminated: [0, 1, 0], truncated: [0, 0, 0] };
    const discounts = augmentedDiscounts({ diffusionSteps: 2, gamma: 0.9, lambda: 0.8 });
    const other = {
      ...ended,
      rewards: [...Array.from(ended.rewards).slice(0, 2), 1e6],
      bootstrapValues: [1e6, 1e6, 1e6],
    };
    const [first, second] = [ended, other].map((segment) => augmentedGae(segment, temperature, discounts));
    expect(second!.advantages.slice(0, 4)).toEqual(first!.advantages.slice(0, 4));
  });

  it('refuses arrays that do not fit together', () => {
    const segment = segmentOf({ steps: 2, numEnvs: 2, length: 3, seed: 0 });
    const discounts = augmentedDiscounts({ diffusionSteps: 3, gamma: 0.9 });
    expect(() => augmentedGae(segment, 1, discounts)).toThrow(ShapeError);
    expect(() =>
      augmentedGae({ ...segment, numEnvs: 4 }, 1, augmentedDiscounts({ diffusionSteps: 2, gamma: 0.9 })),
    ).toThrow(ShapeError);
  });
});

describe('augmentedDiscounts', () => {
  const perStep = (mode: 'phase' | 'root' | 'flat', steps: number, gamma: number) =>
    augmentedDiscounts({ diffusionSteps: steps, gamma, mode }).gammas.reduce((product, factor) => product * factor);

  it('keeps the discount of an environment step in phase and root mode', () => {
    for (const steps of [1, 5, 20]) {
      expect(perStep('phase', steps, 0.97)).toBe(0.97);
      expect(perStep('root', steps, 0.97)).toBeCloseTo(0.97, 12);
    }
  });

  it("in flat mode gives the released code's horizons: 0.99203 at K = 8, 0.98412 at K = 16", () => {
    expect(perStep('flat', 8, 0.999)).toBeCloseTo(0.99203, 5);
    expect(perStep('flat', 16, 0.999)).toBeCloseTo(0.98412, 5);
  });
});
