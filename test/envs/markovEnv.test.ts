import {
  type Advance,
  ArgumentError,
  Box,
  CheckpointError,
  EnvironmentError,
  MarkovEnv,
  MountainCarContinuous,
  MultiGoal,
  NonFiniteError,
  Pendulum,
  Rng,
  ShapeError,
} from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

class NoisyWalk extends MarkovEnv<[x: number]> {
  readonly id = 'NoisyWalk';
  readonly observationSpace = Box.uniform(1);
  readonly actionSpace = Box.uniform(1, -1, 1);
  constructor() {
    super({ stateSize: 1, maxEpisodeSteps: 12 });
  }
  protected start(rng: Rng): [number] {
    return [rng.normal()];
  }
  protected advance([x]: [number], [push]: [number], rng: Rng): Advance<[number]> {
    const moved = x + push + rng.normal();
    return { state: [moved], reward: -Math.abs(moved), terminated: Math.abs(moved) > 4 };
  }
  protected observe([x]: [number]): Float32Array {
    return Float32Array.of(x);
  }
}

const kinds: [string, () => MarkovEnv<number[]>][] = [
  ['NoisyWalk', () => new NoisyWalk()],
  ['Pendulum', () => new Pendulum({ maxEpisodeSteps: 9 })],
  ['MountainCarContinuous', () => new MountainCarContinuous({ maxEpisodeSteps: 9 })],
  ['MultiGoal', () => new MultiGoal()],
];

/** The next `count` results, with resets where they are due. */
function run(env: MarkovEnv<number[]>, actions: Rng, count: number) {
  return Array.from({ length: count }, () => {
    const result = env.step(env.actionSpace.sample(actions));
    return { ...result, start: result.terminated || result.truncated ? env.reset().observation : undefined };
  });
}

describe.each(kinds)('%s', (_, make) => {
  it('repeats itself under one seed and differs under another', () => {
    const first = make();
    const again = make();
    expect(first.reset({ seed: 5 })).toEqual(again.reset({ seed: 5 }));
    expect(run(first, Rng.fromSeed(1), 40)).toEqual(run(again, Rng.fromSeed(1), 40));
    expect(first.reset({ seed: 5 })).not.toEqual(again.reset({ seed: 6 }));
  });

  it('goes on bit for bit from a saved state, in an episode and between two', () => {
    fc.assert(
      fc.property(fc.nat({ max: 30 }), fc.nat({ max: 1000 }), (count, seed) => {
        const original = make();
        original.reset({ seed });
        run(original, Rng.fromSeed(seed), count);
        const restored = make();
        restored.prepare(original.state())();
        expect(run(restored, Rng.fromSeed(2), 30)).toEqual(run(original, Rng.fromSeed(2), 30));
      }),
      { numRuns: 30 },
    );
  });

  it('keeps its observations inside of their space and cuts episodes on time', () => {
    const env = make();
    env.reset({ seed: 0 });
    let length = 0;
    for (const { observation, terminated, truncated } of run(env, Rng.fromSeed(0), 200)) {
      length += 1;
      expect(env.observationSpace.contains(observation)).toBe(true);
      expect(truncated).toBe(!terminated && length === env.maxEpisodeSteps);
      if (terminated || truncated) length = 0;
    }
  });

  it('refuses actions of the wrong size or with NaN, and steps without an episode', () => {
    const env = make();
    expect(() => env.step(new Float32Array(env.actionSpace.size))).toThrow(EnvironmentError);
    env.reset({ seed: 0 });
    const before = env.state();
    expect(() => env.step(new Float32Array(3))).toThrow(ShapeError);
    expect(() => env.step(new Float32Array(env.actionSpace.size).fill(Number.NaN))).toThrow(NonFiniteError);
    expect(env.state()).toEqual(before);
  });

  it('refuses a foreign state and is left as it was', () => {
    const env = make();
    env.reset({ seed: 0 });
    const before = env.state();
    const { 'rng/key': key, ...withoutKey } = before;
    expect(key).toBeDefined();
    expect(() => env.prepare(withoutKey)).toThrow(CheckpointError);
    expect(() => env.prepare({ ...before, physics: { shape: [5], data: new Float64Array(5) } })).toThrow(
      CheckpointError,
    );
    expect(env.state()).toEqual(before);
  });
});

describe('maxEpisodeSteps', () => {
  it('may be infinite, but not a fraction or 0', () => {
    expect(new Pendulum({ maxEpisodeSteps: Infinity }).maxEpisodeSteps).toBe(Infinity);
    expect(() => new Pendulum({ maxEpisodeSteps: 0 })).toThrow(
      'Pendulum: maxEpisodeSteps must be an integer >= 1, got 0.',
    );
    expect(() => new Pendulum({ maxEpisodeSteps: 1.5 })).toThrow(ArgumentError);
  });
});
