import {
  ArgumentError,
  CheckpointError,
  PrioritizedReplay,
  prioritizedReplay,
  Rng,
  ShapeError,
  type Transitions,
} from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SumTree } from '../../src/replay/sumTree.js';

const sizes = { observationSize: 1, actionSize: 1 };

/** Transitions whose rewards tell their numbers. */
function numbered(first: number, count: number): Transitions {
  const rewards = Float32Array.from({ length: count }, (_, i) => first + i);
  const flags = new Uint8Array(count);
  return {
    observations: rewards,
    actions: rewards,
    rewards,
    nextObservations: rewards,
    terminated: flags,
    truncated: flags,
  };
}

/** One whose transitions 0, 1, 2, ... have the given TD errors. */
function withErrors(errors: number[], options = {}): PrioritizedReplay {
  const replay = new PrioritizedReplay({ ...sizes, capacity: errors.length }, options);
  replay.add(numbered(0, errors.length));
  replay.learned({ ...numbered(0, 0), indices: Int32Array.from(errors.keys()) } as never, Float32Array.from(errors));
  return replay;
}

describe('PrioritizedReplay', () => {
  it.each([
    [1, [1, 2, 3, 4]],
    [0.5, [1, 4, 9, 16]],
  ])('alpha %d draws errors %j as 1 : 2 : 3 : 4; chi-squared, 20,000 draws, false alarm 1e-4', (alpha, errors) => {
    const replay = withErrors(errors, { alpha });
    const rng = Rng.fromSeed(5);
    const counts = [0, 0, 0, 0];
    // Batches of one: larger ones are stratified, so their counts vary less than independent draws.
    for (let i = 0; i < 20_000; i++) counts[replay.sample(1, rng).rewards[0]!]!++;
    const expected = [2000, 4000, 6000, 8000];
    expect(counts.reduce((sum, n, i) => sum + (n - expected[i]!) ** 2 / expected[i]!, 0)).toBeLessThan(21.1);
  });

  it('a batch is stratified: each transition comes as often as its share, to within two', () => {
    const counts = [0, 0, 0, 0];
    for (const reward of withErrors([1, 2, 3, 4], { alpha: 1 }).sample(100, Rng.fromSeed(1)).rewards) counts[reward]!++;
    [10, 20, 30, 40].forEach((share, i) => expect(Math.abs(counts[i]! - share)).toBeLessThanOrEqual(2));
  });

  it('weights are (N P)^-beta over the largest of the batch, and beta grows to 1', () => {
    const replay = withErrors([1, 2, 3, 4], { alpha: 1, beta: 0.5, betaBatches: 2 });
    const { rewards, weights } = replay.sample(64, Rng.fromSeed(1));
    rewards.forEach((i, row) => expect(weights![row]).toBeCloseTo((1 / (i + 1)) ** 0.5, 5));
    expect(replay.beta).toBe(0.75);
    replay.sample(1, Rng.fromSeed(1));
    expect(replay.beta).toBe(1);
  });

  it('weights make the mean of a batch that of a uniform one: over 400 batches, to 2 %', () => {
    const replay = withErrors([1, 2, 3, 4], { alpha: 1, beta: 1 });
    const rng = Rng.fromSeed(3);
    let [sum, total] = [0, 0];
    for (let i = 0; i < 400; i++) {
      const { rewards, weights } = replay.sample(40, rng);
      rewards.forEach((reward, row) => {
        sum += weights![row]! * reward;
        total += weights![row]!;
      });
    }
    expect(Math.abs(sum / total / 1.5 - 1)).toBeLessThan(0.02);
  });

  it('new transitions have the largest priority there was, old ones that of their last error', () => {
    const replay = withErrors([0, 0, 0, 9], { alpha: 1 });
    replay.add(numbered(4, 1)); // where 0 was
    const rewards = replay.sample(100, Rng.fromSeed(1)).rewards;
    expect(new Set(rewards)).toEqual(new Set([3, 4]));
    expect(Math.abs(rewards.filter((reward) => reward === 4).length - 50)).toBeLessThanOrEqual(1);
  });

  it('goes on bit for bit from its state, also into another capacity', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat({ max: 30 }), (capacity, count) => {
        const [old, same, other] = [9, 9, capacity].map((c) => new PrioritizedReplay({ ...sizes, capacity: c })) as [
          PrioritizedReplay,
          PrioritizedReplay,
          PrioritizedReplay,
        ];
        old.add(numbered(1, count));
        if (count) {
          const batch = old.sample(6, Rng.fromSeed(count));
          old.learned(batch, batch.rewards); // errors tell transitions too
        }
        for (const replay of [same, other]) replay.prepare(old.state())();
        expect(same.state()).toEqual(old.state());
        for (const replay of [old, same]) replay.add(numbered(100, 2));
        expect(same.state()).toEqual(old.state());
        expect(same.sample(16, Rng.fromSeed(2))).toEqual(old.sample(16, Rng.fromSeed(2)));
        expect(other.size).toBe(Math.min(count, 9, capacity));
        const { priorities, largest } = other.state();
        for (let i = 0; i < other.size; i++) {
          const reward = (other.state()['buffer/rows0/rewards'] as { data: Float32Array }).data[i]!;
          const [priority, ofNew] = [priorities!.data[i]!, largest!.data[0]!];
          expect([1, ofNew, (reward + 1e-6) ** 0.6]).toContainEqual(priority);
        }
      }),
    );
  });

  it('refuses what does not fit, and is left as it was', () => {
    const replay = withErrors([1, 2, 3, 4]);
    const batch = replay.sample(2, Rng.fromSeed(0));
    const before = replay.state();
    expect(() => replay.learned(batch, new Float32Array(3))).toThrow(ShapeError);
    expect(() => replay.learned(batch, Float32Array.of(1, Number.NaN))).toThrow('tdErrors[1] is NaN');
    expect(() => replay.learned({ ...batch, indices: Int32Array.of(0, 7) }, new Float32Array(2))).toThrow(
      ArgumentError,
    );
    expect(() => replay.prepare({ ...before, priorities: before.largest! })).toThrow(CheckpointError);
    expect(() => replay.prepare({ ...before, largest: { shape: [1], data: Float64Array.of(0) } })).toThrow(/damaged/);
    expect(replay.state()).toEqual(before);
    expect(() => new PrioritizedReplay(sizes).sample(1, Rng.fromSeed(0))).toThrow('there are no transitions');
    expect(() => prioritizedReplay({ alpah: 1 } as never)).toThrow("did you mean 'alpha'?");
  });
});

describe('SumTree', () => {
  const numbers = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 40 });

  it('finds what a running sum finds, never a number that is 0', () => {
    fc.assert(
      fc.property(numbers, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (values, share) => {
        const tree = SumTree.of(values);
        const total = values.reduce((sum, value) => sum + value, 0);
        fc.pre(total > 0);
        expect(tree.total).toBe(total);
        let left = share * total;
        const expected = values.findIndex((value) => {
          left -= value;
          return left < 0;
        });
        expect(tree.find(share * total)).toBe(expected);
      }),
    );
  });

  it('is the same however its numbers came in', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const tree = new SumTree();
        for (const i of [...values.keys()].reverse()) tree.set(i, values[i]! + 1);
        values.forEach((value, i) => tree.set(i, value / 7));
        const other = SumTree.of(values.map((value) => value / 7));
        expect([tree.total, ...tree.first(values.length)]).toEqual([other.total, ...other.first(values.length)]);
      }),
    );
  });
});
