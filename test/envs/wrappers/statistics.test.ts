import {
  type Env,
  EpisodeStatistics,
  FrameStack,
  NonFiniteError,
  NormaliseObservation,
  NormaliseReward,
  Rng,
  RunningMoments,
  type Wrapper,
} from 'diffrl';
import { describe, expect, it } from 'vitest';
import { loadState } from '../../../src/state.js';
import { Walk } from '../toys.js';

/** Rewards and observations of `steps` steps, reset where an episode ends. */
async function run(env: Env, steps: number, seed?: number) {
  const rng = Rng.fromSeed(9);
  const observations = seed === undefined ? [] : [(await env.reset({ seed })).observation];
  const rewards: number[] = [];
  const infos: Record<string, unknown>[] = [];
  for (let t = 0; t < steps; t++) {
    const { observation, reward, terminated, info } = await env.step(env.actionSpace.sample(rng));
    observations.push(observation);
    rewards.push(reward);
    infos.push(info);
    if (terminated) observations.push((await env.reset()).observation);
  }
  return { observations, rewards, infos };
}

/** Moments of a constant: anything else is far out. */
function narrowMoments(): RunningMoments {
  const moments = new RunningMoments(1);
  moments.add(Float32Array.of(50, 50, 50));
  return moments;
}

describe('NormaliseObservation', () => {
  it('gives observations of mean 0 and deviation 1 once it has seen enough', async () => {
    const env = new NormaliseObservation(new Walk());
    await run(env, 2000, 1);
    const values = (await run(env, 2000)).observations.map(([x]) => x!);
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
    expect(mean).toBeCloseTo(0, 1);
    expect(variance).toBeCloseTo(1, 1);
  });

  it('shares its moments with an environment that does not learn, and cuts outliers', async () => {
    const env = new NormaliseObservation(new Walk());
    await run(env, 200, 1);
    const before = env.moments.state();
    const test = new NormaliseObservation(new Walk(), { moments: env.moments, learns: false });
    await run(test, 200, 2);
    expect(env.moments.state()).toEqual(before);
    const narrow = new NormaliseObservation(new Walk(), { moments: narrowMoments(), learns: false });
    expect((await run(narrow, 20, 3)).observations.every(([x]) => Math.abs(x!) === 10)).toBe(true);
    expect(narrow.observationSpace.high[0]).toBe(10);
  });
});

describe('NormaliseReward', () => {
  it('goes on after a reward that is no number, and sums up each episode by itself', async () => {
    let reward = 1;
    const walk = Object.assign(new Walk(), { step: () => ({ ...done, reward }) }) as unknown as Env;
    const done = { observation: new Float32Array(1), terminated: false, truncated: false, info: {} };
    const env = new NormaliseReward(walk);
    await env.reset({ seed: 0 });
    for (let t = 0; t < 3; t++) await env.step(new Float32Array(1));
    const before = env.scale.state();
    reward = Number.NaN;
    await expect(async () => env.step(new Float32Array(1))).rejects.toThrow(NonFiniteError);
    expect(env.scale.state()).toEqual(before);
    reward = 1e39;
    expect((await env.step(new Float32Array(1))).reward).toBeGreaterThan(0);
    await env.reset();
    expect([...env.scale.state().returns!.data]).toEqual([]);
  });

  it('gives discounted returns of deviation 1 and keeps the sign of rewards', async () => {
    const gamma = 0.9;
    const env = new NormaliseReward(new Walk(), { gamma });
    await run(env, 3000, 1);
    const { rewards, infos } = await run(new EpisodeStatistics(env), 3000, 2);
    let sum = 0;
    const returns = rewards.map((reward, t) => {
      const discounted = gamma * sum + reward;
      sum = infos[t]!.episode ? 0 : discounted;
      return discounted;
    });
    const mean = returns.reduce((a, b) => a + b) / returns.length;
    const variance = returns.reduce((total, value) => total + (value - mean) ** 2, 0) / returns.length;
    expect(Math.sqrt(variance)).toBeCloseTo(1, 1);
    expect(rewards.every((reward) => reward <= 0)).toBe(true);
    expect(() => new NormaliseReward(new Walk(), { gamma: 1 })).toThrow(/gamma must be a number >= 0 and < 1/);
  });
});

describe('FrameStack', () => {
  it('shows the last observations, oldest first, and repeats the first one', async () => {
    const [plain, stacked] = [new Walk(), new FrameStack(new Walk(), 3)];
    const { observations } = await run(plain, 40, 5);
    const seen = (await run(stacked, 40, 5)).observations;
    expect(stacked.observationSpace.size).toBe(3);
    expect([...seen[0]!]).toEqual([observations[0]![0], observations[0]![0], observations[0]![0]]);
    expect(seen.map((frames) => frames[2])).toEqual(observations.map(([x]) => x));
    expect([...seen[2]!]).toEqual([0, 1, 2].map((i) => observations[i]![0]));
    expect(() => new FrameStack(plain, 0)).toThrow(/frames must be an integer >= 1/);
  });
});

describe('EpisodeStatistics', () => {
  it('sums up each episode on its last step', async () => {
    const { rewards, infos } = await run(new EpisodeStatistics(new Walk()), 60, 6);
    let [sum, length] = [0, 0];
    for (const [t, { episode }] of infos.entries()) {
      sum += rewards[t]!;
      length++;
      if (!episode) continue;
      expect(episode).toEqual({ return: sum, length, seconds: expect.any(Number) });
      [sum, length] = [0, 0];
    }
    expect(infos.filter(({ episode }) => episode).length).toBeGreaterThan(3);
  });
});

describe('states', () => {
  const kinds: Record<string, () => Wrapper> = {
    NormaliseObservation: () => new NormaliseObservation(new Walk()),
    NormaliseReward: () => new NormaliseReward(new Walk()),
    FrameStack: () => new FrameStack(new Walk(), 3),
  };
  it.each(Object.keys(kinds))('%s goes on bit for bit', async (kind) => {
    const [one, other] = [kinds[kind]!(), kinds[kind]!()];
    await run(one, 50, 1);
    await loadState(other, structuredClone(await one.state!()));
    expect(await run(other, 50)).toEqual(await run(one, 50));
    await expect(async () => other.prepare!({ 'env/x': { shape: [1], data: Float64Array.of(0) } })).rejects.toThrow(
      /is missing/,
    );
  });
});
