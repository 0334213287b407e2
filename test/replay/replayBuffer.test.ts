import { createHash } from 'node:crypto';
import {
  ArgumentError,
  CheckpointError,
  NonFiniteError,
  ReplayBuffer,
  Rng,
  ShapeError,
  type StateDict,
  type Transitions,
} from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const sizes = { observationSize: 2, actionSize: 1 };

/** Transitions whose every entry tells its number. */
function numbered(first: number, count: number): Transitions {
  const numbers = Array.from({ length: count }, (_, i) => first + i);
  return {
    observations: Float32Array.from(numbers.flatMap((n) => [n, n + 0.5])),
    actions: Float32Array.from(numbers, (n) => -n),
    rewards: Float32Array.from(numbers, (n) => 10 * n),
    nextObservations: Float32Array.from(numbers.flatMap((n) => [n + 1, n + 1.5])),
    terminated: Uint8Array.from(numbers, (n) => n % 2),
    truncated: Uint8Array.from(numbers, (n) => (n % 3 === 0 ? 1 : 0)),
  };
}

function digest(state: StateDict): string {
  const hash = createHash('sha256');
  for (const [name, { data }] of Object.entries(state)) hash.update(name).update(data);
  return hash.digest('hex');
}

describe('ReplayBuffer', () => {
  it('holds the newest transitions in ring order, as a naive list does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(fc.integer({ min: 0, max: 60 })), (capacity, counts) => {
        const replay = new ReplayBuffer({ ...sizes, capacity });
        const model: number[] = [];
        let next = 0;
        for (const count of counts) {
          replay.add(numbered(next, count));
          for (let i = 0; i < count; i++) model[(next + i) % capacity] = next + i;
          next += count;
        }
        const state = replay.state();
        const column = (name: string) => [...(state[`rows0/${name}`]?.data ?? [])];
        expect(replay.size).toBe(model.length);
        expect(column('observations')).toEqual(model.flatMap((n) => [n, n + 0.5]));
        expect(column('rewards')).toEqual(model.map((n) => 10 * n));
        expect(column('terminated')).toEqual(model.map((n) => n % 2));
        expect(column('truncated')).toEqual(model.map((n) => (n % 3 === 0 ? 1 : 0)));
      }),
    );
  });

  it('keeps the parts of a transition together when it samples, in float32', () => {
    const replay = new ReplayBuffer({ ...sizes, capacity: 5000 });
    replay.add(numbered(0, 3000));
    const batch = replay.sample(64, Rng.fromSeed(1));
    for (let i = 0; i < 64; i++) {
      const number = batch.rewards[i]! / 10;
      const row = numbered(number, 1);
      expect([...batch.observations.subarray(2 * i, 2 * i + 2)]).toEqual([...row.observations]);
      expect([...batch.nextObservations.subarray(2 * i, 2 * i + 2)]).toEqual([...row.nextObservations]);
      expect([batch.actions[i], batch.terminated[i], batch.truncated[i]]).toEqual([
        row.actions[0],
        row.terminated[0],
        row.truncated[0],
      ]);
    }
    expect(batch.terminated).toBeInstanceOf(Float32Array);
  });

  it('samples uniformly: chi-squared over 10 rows, 80000 draws, false alarm 1e-4, a 10 % heavier row is found with power > 0.99', () => {
    const replay = new ReplayBuffer({ ...sizes, capacity: 10 });
    replay.add(numbered(0, 10));
    const counts = new Float64Array(10);
    for (const reward of replay.sample(80_000, Rng.fromSeed(3)).rewards) counts[reward / 10]! += 1;
    const chiSquared = counts.reduce((sum, count) => sum + (count - 8000) ** 2 / 8000, 0);
    expect(chiSquared).toBeLessThan(33.72);
  });

  it('lets memory grow with use', () => {
    const before = process.memoryUsage().arrayBuffers;
    const replay = new ReplayBuffer({ observationSize: 348, actionSize: 17 });
    expect(replay.capacity).toBe(1_000_000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
  });

  it('goes on bit for bit after its state was put back', () => {
    const original = new ReplayBuffer({ ...sizes, capacity: 7 });
    original.add(numbered(0, 10));
    const restored = new ReplayBuffer({ ...sizes, capacity: 7 });
    restored.add(numbered(100, 3));
    restored.prepare(original.state())();
    for (const replay of [original, restored]) replay.add(numbered(10, 2));
    expect(restored.state()).toEqual(original.state());
    expect(restored.sample(16, Rng.fromSeed(2))).toEqual(original.sample(16, Rng.fromSeed(2)));
  });

  it('keeps the latest transitions in a buffer of another capacity', () => {
    fc.assert(
      fc.property(
        fc.record({
          from: fc.integer({ min: 1, max: 12 }),
          to: fc.integer({ min: 1, max: 12 }),
          count: fc.nat({ max: 30 }),
        }),
        ({ from, to, count }) => {
          const [old, other] = [from, to].map((capacity) => new ReplayBuffer({ ...sizes, capacity })) as [
            ReplayBuffer,
            ReplayBuffer,
          ];
          if (count) old.add(numbered(0, count));
          other.prepare(old.state())();
          expect(other.size).toBe(Math.min(count, from, to));
          other.add(numbered(count, 2));
          const kept = Math.min(Math.min(count, from) + 2, to);
          const held = new Set(other.size ? other.sample(400, Rng.fromSeed(1)).rewards : []);
          expect([...held].sort((a, b) => a - b)).toEqual(
            Array.from({ length: kept }, (_, i) => (count + 2 - kept + i) * 10),
          );
        },
      ),
    );
  });

  it('gives snapshots that stay, whose untouched blocks are the same arrays from one to the next', () => {
    const wide = { observationSize: 100_000, actionSize: 1, capacity: 25 }; // eight rows a block
    const replay = new ReplayBuffer(wide);
    const step = (n: number) => ({
      ...numbered(n, 1),
      actions: Float32Array.of(n),
      observations: new Float32Array(100_000).fill(n),
      nextObservations: new Float32Array(100_000).fill(n),
    });
    const rewards = (state: StateDict) =>
      Object.entries(state).flatMap(([name, { data }]) => (name.endsWith('/rewards') ? [...data] : []));
    for (let n = 0; n < 20; n++) replay.add(step(n));
    const first = replay.snapshot();
    const kept = digest(first);
    for (let n = 20; n < 27; n++) replay.add(step(n));
    const second = replay.snapshot();
    expect(digest(first)).toBe(kept);
    expect(rewards(second)).toEqual([25, 26, ...Array.from({ length: 23 }, (_, i) => i + 2)].map((n) => n * 10));
    const same = Object.keys(second).filter((name) => first[name] === second[name]);
    expect(same).toContain('rows1/observations');
    expect(same).not.toContain('rows0/observations');
    expect(Object.values(second).filter(({ frozen }) => frozen)).toHaveLength(Object.keys(second).length - 2);
  });

  it.each([
    ['rewards', 3],
    ['observations', 1],
    ['nextObservations', 0],
    ['actions', 2],
  ] as const)('refuses NaN in %s and is left as it was', (column, index) => {
    const replay = new ReplayBuffer(sizes);
    replay.add(numbered(0, 3));
    const before = replay.state();
    const broken = numbered(3, 4);
    broken[column][index] = Number.NaN;
    expect(() => replay.add(broken)).toThrow(NonFiniteError);
    expect(() => replay.add(broken)).toThrow(`${column}[${index}] is NaN`);
    expect(replay.state()).toEqual(before);
  });

  it('refuses wrong sizes and is left as it was', () => {
    const replay = new ReplayBuffer(sizes);
    replay.add(numbered(0, 3));
    const before = replay.state();
    expect(() => replay.add({ ...numbered(3, 2), actions: new Float32Array(3) })).toThrow(ShapeError);
    expect(() => replay.add({ ...numbered(3, 2), truncated: new Uint8Array(1) })).toThrow(/truncated must have 2/);
    expect(replay.state()).toEqual(before);
  });

  it('advises when it is empty or sizes are not whole', () => {
    const replay = new ReplayBuffer(sizes);
    expect(() => replay.sample(4, Rng.fromSeed(0))).toThrow(/empty. Add transitions first/);
    expect(() => replay.sample(0, Rng.fromSeed(0))).toThrow(ArgumentError);
    expect(() => new ReplayBuffer({ ...sizes, capacity: 0 })).toThrow(/capacity must be an integer >= 1, got 0/);
    expect(() => new ReplayBuffer({ observationSize: 1.5, actionSize: 1 })).toThrow(/observationSize/);
  });

  it('refuses a foreign or damaged state and is left as it was', () => {
    const replay = new ReplayBuffer({ ...sizes, capacity: 8 });
    replay.add(numbered(0, 3));
    const before = replay.state();
    const { 'rows0/actions': actions, ...withoutActions } = before;
    const wide = new ReplayBuffer({ observationSize: 3, actionSize: 1, capacity: 8 });
    wide.add({ ...numbered(0, 1), observations: new Float32Array(3), nextObservations: new Float32Array(3) });
    const wider = wide.state();
    for (const state of [
      withoutActions,
      { ...before, cursor: { shape: [1], data: Float64Array.of(5) } },
      { ...before, 'rows0/actions': { shape: [2], data: actions!.data.slice(0, 2) } },
      { ...before, 'rows0/observations': { shape: [1, 3], data: new Float32Array(3) } },
      { ...before, 'rows1/actions': actions! },
      { ...before, filled: { shape: [1], data: Float64Array.of(2) } },
      wider,
    ]) {
      expect(() => replay.prepare(state)).toThrow(CheckpointError);
    }
    expect(replay.state()).toEqual(before);
  });
});

it('rewrites the actions of a batch; snapshots keep the old ones; a call that fails changes nothing', () => {
  const replay = new ReplayBuffer(sizes);
  replay.add(numbered(0, 4));
  const first = Array.from(replay.at([0, 2]).actions);
  const batch = replay.at([1, 3]);
  const [snapshot, before] = [replay.snapshot(), replay.state()];
  replay.rewriteActions(batch, Float32Array.of(70, 90));
  expect(Array.from(replay.at([0, 1, 2, 3]).actions)).toEqual([first[0], 70, first[1], 90]);
  expect(snapshot['rows0/actions']!.data).toEqual(before['rows0/actions']!.data);

  const now = replay.state();
  const { indices: _, ...foreign } = batch;
  expect(() => replay.rewriteActions(foreign as never, new Float32Array(2))).toThrow(ArgumentError);
  expect(() => replay.rewriteActions(batch, new Float32Array(3))).toThrow(ShapeError);
  expect(() => replay.rewriteActions(batch, Float32Array.of(1, Number.NaN))).toThrow(NonFiniteError);
  expect(replay.state()).toEqual(now);
});
