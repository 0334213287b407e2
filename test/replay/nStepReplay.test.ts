import {
  ArgumentError,
  CheckpointError,
  loadState,
  NonFiniteError,
  NStepReplay,
  type ObservedTransitions,
  PrioritizedReplay,
  ReplayBuffer,
  Rng,
} from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const sizes = { observationSize: 1, actionSize: 1 };
const GAMMA = 0.5;
const make = (steps: number, buffer = new ReplayBuffer({ ...sizes, discounts: true })) => ({
  buffer,
  replay: new NStepReplay({ ...sizes, steps, gamma: GAMMA }, buffer),
});

interface Step {
  from: number;
  reward: number;
  to: number;
  terminated?: number;
  truncated?: number;
  lost?: number;
}

/** One step of environments side by side; actions are minus the observations. */
function steps(...rows: Step[]): ObservedTransitions {
  return {
    observations: Float32Array.from(rows, ({ from }) => from),
    actions: Float32Array.from(rows, ({ from }) => -from),
    rewards: Float32Array.from(rows, ({ reward }) => reward),
    nextObservations: Float32Array.from(rows, ({ to }) => to),
    terminated: Uint8Array.from(rows, ({ terminated = 0 }) => terminated),
    truncated: Uint8Array.from(rows, ({ truncated = 0 }) => truncated),
    ...(rows.some(({ lost }) => lost) && { lost: Uint8Array.from(rows, ({ lost = 0 }) => lost) }),
  };
}

/** All that is kept: [observation, reward, next observation, discount, terminated, truncated]. */
function kept(buffer: ReplayBuffer): number[][] {
  if (!buffer.size) return [];
  const rows = buffer.at(Array.from({ length: buffer.size }, (_, i) => i));
  expect([...rows.actions]).toEqual([...rows.observations].map((value) => -value));
  return Array.from(rows.observations, (observation, i) => [
    ...[observation, rows.rewards[i]!, rows.nextObservations[i]!, rows.discounts![i]!],
    ...[rows.terminated[i]!, rows.truncated[i]!],
  ]);
}

describe('n-step returns by hand, gamma 1/2', () => {
  it('look three steps ahead, and an episode that terminates keeps its tails', () => {
    const { replay, buffer } = make(3);
    replay.add(steps({ from: 1, reward: 10, to: 2 }));
    replay.add(steps({ from: 2, reward: 20, to: 3 }));
    expect(replay.size).toBe(0);
    replay.add(steps({ from: 3, reward: 40, to: 4 }));
    expect(kept(buffer)).toEqual([[1, 10 + 10 + 10, 4, 1 / 8, 0, 0]]);
    replay.add(steps({ from: 4, reward: 80, to: 5, terminated: 1 }));
    expect(kept(buffer).slice(1)).toEqual([
      [2, 20 + 20 + 20, 5, 0, 1, 0],
      [3, 40 + 40, 5, 0, 1, 0],
      [4, 80, 5, 0, 1, 0],
    ]);
  });

  it('a truncated episode bootstraps from the state at which it was cut, by as many steps as there were', () => {
    const { replay, buffer } = make(3);
    replay.add(steps({ from: 1, reward: 10, to: 2 }));
    replay.add(steps({ from: 2, reward: 20, to: 3, truncated: 1 }));
    replay.add(steps({ from: 7, reward: 5, to: 8, terminated: 1 }));
    expect(kept(buffer)).toEqual([
      [1, 20, 3, 1 / 4, 0, 1],
      [2, 20, 3, 1 / 2, 0, 1],
      [7, 5, 8, 0, 1, 0],
    ]);
  });

  it('environments side by side are streams of their own; a lost one is cut where it was last seen', () => {
    const { replay, buffer } = make(2);
    replay.add(steps({ from: 1, reward: 1, to: 2 }, { from: 10, reward: 100, to: 20 }));
    replay.add(steps({ from: 2, reward: 2, to: 3 }, { from: 20, reward: 0, to: 0, lost: 1 }));
    expect(kept(buffer)).toEqual([
      [1, 2, 3, 1 / 4, 0, 0],
      [10, 100, 20, 1 / 2, 0, 1],
    ]);
  });

  it('steps that waited for longer returns are taken in at once when loaded', async () => {
    const long = make(5);
    for (let t = 1; t < 5; t++) long.replay.add(steps({ from: t, reward: 2 ** t, to: t + 1 }));
    for (const end of [{}, { truncated: 1 }]) {
      const { replay, buffer } = make(2);
      await loadState(replay, { ...(await long.replay.state()) });
      replay.add(steps({ from: 5, reward: 32, to: 6, ...end }));
      const two = [1, 2, 3, 4].map((t) => [t, 2 ** (t + 1), t + 2, 1 / 4, 0, t === 4 && 'truncated' in end ? 1 : 0]);
      expect(kept(buffer)).toEqual('truncated' in end ? [...two, [5, 32, 6, 1 / 2, 0, 1]] : two);
    }
  });

  it('what does not go on from the last state is another episode, and so is another number of environments', () => {
    const { replay, buffer } = make(3);
    replay.add(steps({ from: 1, reward: 1, to: 2 }, { from: 10, reward: 8, to: 20 }));
    replay.add(steps({ from: 5, reward: 4, to: 6 }));
    expect(kept(buffer)).toEqual([
      [10, 8, 20, 1 / 2, 0, 1],
      [1, 1, 2, 1 / 2, 0, 1],
    ]);
  });

  it('any episodes give every step once, as a loop over whole episodes does', () => {
    const episode = fc.record({
      rewards: fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 1, maxLength: 9 }),
      terminated: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(episode, { maxLength: 5 }), (n, episodes) => {
        const { replay, buffer } = make(n);
        const expected: number[][] = [];
        episodes.forEach(({ rewards, terminated }, e) => {
          const at = (t: number) => 100 * e + t;
          const T = rewards.length;
          rewards.forEach((reward, t) => {
            const isEnd = t === T - 1;
            const flags = { terminated: Number(isEnd && terminated), truncated: Number(isEnd && !terminated) };
            replay.add(steps({ from: at(t), reward, to: at(t + 1), ...flags }));
          });
          for (let t = 0; t < T; t++) {
            const k = Math.min(n, T - t);
            const sum = rewards.slice(t, t + k).reduce((total, reward, j) => total + GAMMA ** j * reward, 0);
            const ends = t + k === T;
            const discount = ends && terminated ? 0 : GAMMA ** k;
            expected.push([at(t), sum, at(t + k), discount, Number(ends && terminated), Number(ends && !terminated)]);
          }
        });
        const order = (rows: number[][]) => rows.sort((a, b) => a[0]! - b[0]!);
        expect(order(kept(buffer))).toEqual(order(expected));
      }),
    );
  });
});

describe('NStepReplay', () => {
  it('goes on bit for bit from its state, in the middle of episodes', async () => {
    const both = [1, 2].map(() => {
      const inner = new PrioritizedReplay({ ...sizes, capacity: 8, discounts: true });
      return new NStepReplay({ ...sizes, steps: 3, gamma: 0.9 }, inner);
    }) as [NStepReplay, NStepReplay];
    const play = (replay: NStepReplay, from: number, count: number) => {
      for (let t = from; t < from + count; t++) {
        replay.add(steps({ from: t, reward: t, to: t + 1 }, { from: -t, reward: 1, to: -t - 1 }));
      }
    };
    const [original, restored] = both;
    play(original, 0, 6);
    original.learned!(original.sample(4, Rng.fromSeed(1)), Float32Array.of(1, 2, 3, 4));
    play(restored, 50, 2);
    await loadState(restored, await original.state());
    for (const replay of both) play(replay, 6, 3);
    expect(await restored.state()).toEqual(await original.state());
    expect(restored.sample(16, Rng.fromSeed(2))).toEqual(original.sample(16, Rng.fromSeed(2)));
  });

  it('refuses what does not fit, and is left as it was', async () => {
    const { replay } = make(3);
    replay.add(steps({ from: 1, reward: 1, to: 2 }));
    const before = await replay.state();
    expect(() => replay.add(steps({ from: Number.NaN, reward: 1, to: 2 }))).toThrow(NonFiniteError);
    expect(() => replay.add({ ...steps({ from: 2, reward: 1, to: 3 }), actions: new Float32Array(3) })).toThrow(
      'actions must have 1 numbers',
    );
    expect(() => replay.add({} as never)).toThrow(ArgumentError);
    await expect(loadState(replay, { ...before, 'pending/actions': before.cursor! })).rejects.toThrow(CheckpointError);
    const long = { shape: [1], data: Float64Array.of(2) };
    await expect(loadState(replay, { ...before, 'pending/lengths': long })).rejects.toThrow(CheckpointError);
    expect(await replay.state()).toEqual(before);
    expect(() => make(0)).toThrow('steps must be an integer >= 1, got 0');
  });
});
