import { Box, EnvironmentError, Pendulum, Rng, SyncVectorEnv, TimeLimit, Wrapper } from 'diffrl';
import { describe, expect, it } from 'vitest';
import { loadState } from '../../src/state.js';
import { SlowWalk, Walk } from './toys.js';

const four = (make = () => new Walk()) => SyncVectorEnv.create(4, make);

describe('SyncVectorEnv', () => {
  it('does what its environments do one by one, each with a stream of its own', async () => {
    const env = await four();
    const { observations } = await env.reset({ seed: 3 });
    expect(new Set(observations).size).toBe(4);
    const singles = env.envs.map((_, i) => {
      const walk = new Walk();
      walk.reset({ seed: Rng.fromSeed(3).split(i).uint32() });
      return walk;
    });
    const rng = Rng.fromSeed(1);
    for (let t = 0; t < 50; t++) {
      const actions = rng.uniforms(4, -1, 1);
      const given = await env.step(actions);
      for (const [i, walk] of singles.entries()) {
        const { observation, reward, terminated } = walk.step(actions.slice(i, i + 1));
        const next = terminated ? walk.reset().observation : observation;
        expect([given.nextObservations[i], given.rewards[i], given.terminated[i], given.observations[i]]).toEqual([
          ...[observation[0], Math.fround(reward), Number(terminated), next[0]],
        ]);
      }
    }
  });

  it('gives true successors and a new start where an episode is cut', async () => {
    const env = await four(() => new TimeLimit(new Walk(), 1) as never);
    await env.reset({ seed: 1 });
    const { observations, nextObservations, truncated } = await env.step(new Float32Array(4));
    expect([...truncated]).toEqual([1, 1, 1, 1]);
    expect(observations.every((x, i) => x !== nextObservations[i])).toBe(true);
  });

  it('gives the same data for environments that answer by promise, and leaves given arrays alone', async () => {
    const [fast, slow] = [await four(), await four(() => new SlowWalk())];
    expect(await slow.reset({ seed: 2 })).toEqual(await fast.reset({ seed: 2 }));
    expect(fast.step(new Float32Array(4))).not.toBeInstanceOf(Promise);
    const first = await slow.step(new Float32Array(4));
    const copy = structuredClone(first);
    await slow.step(new Float32Array(4).fill(1));
    expect(first).toEqual(copy);
  });

  it('starts in different places without a seed, too', async () => {
    const env = await SyncVectorEnv.create(3, () => new Pendulum());
    const { observations } = await env.reset();
    expect(new Set(observations).size).toBe(9);
    expect(await new SyncVectorEnv([new Pendulum()]).state!()).toEqual(
      await new SyncVectorEnv([new Pendulum()]).state!(),
    );
  });

  it('goes on bit for bit from its state', async () => {
    const [one, other] = [await four(), await four()];
    await one.reset({ seed: 5 });
    for (let t = 0; t < 10; t++) await one.step(new Float32Array(4));
    await loadState(other, structuredClone(await one.state!()));
    for (let t = 0; t < 20; t++) {
      expect(await other.step(new Float32Array(4))).toEqual(await one.step(new Float32Array(4)));
    }
  });

  it('has a state only if every environment has one', () => {
    const stateless = new Wrapper({ ...new Walk(), reset: () => 0, step: () => 0, state: undefined } as never);
    expect(new SyncVectorEnv([new Walk(), stateless]).state).toBeUndefined();
  });

  it('refuses bad actions, unequal environments and steps without a reset', async () => {
    const env = await four();
    expect(() => env.step(new Float32Array(4))).toThrow(/call reset first/);
    await env.reset({ seed: 1 });
    const before = await env.state!();
    expect(() => env.step(new Float32Array(3))).toThrow(/actions must have 4 numbers/);
    expect(() => env.step(Float32Array.of(0, 0, Number.NaN, 0))).toThrow(/actions\[2\] is NaN/);
    expect(await env.state!()).toEqual(before);
    expect(() => new SyncVectorEnv([])).toThrow(/at least one/);
    const wide = Object.assign(new Walk(), { observationSpace: Box.uniform(2) });
    expect(() => new SyncVectorEnv([new Walk(), wide])).toThrow(/environment 1 has an observationSpace of size 2/);
  });

  it.each([Walk, SlowWalk])('names the environment that throws and works again after a reset (%o)', async (Base) => {
    let fails = true;
    class Broken extends Base {
      override step(action: Float32Array): never {
        if (fails) throw new Error('out of fuel');
        return super.step(action) as never;
      }
    }
    const env = new SyncVectorEnv([new Base(), new Broken()]);
    await env.reset({ seed: 1 });
    const failing = async () => env.step(new Float32Array(2));
    await expect(failing).rejects.toThrow(EnvironmentError);
    await expect(failing).rejects.toThrow(/call reset first/);
    await env.reset();
    await expect(failing).rejects.toThrow(/environment 1 \(Walk\): out of fuel/);
    fails = false;
    await env.reset();
    expect((await env.step(new Float32Array(2))).rewards.length).toBe(2);
  });

  it('closes those that were made where another one fails', async () => {
    const made: Walk[] = [];
    const make = (i: number) => {
      if (i === 2) throw new Error('no more');
      made.push(new Walk());
      return made.at(-1)!;
    };
    await expect(SyncVectorEnv.create(4, make)).rejects.toThrow('no more');
    expect(made.map(({ isClosed }) => isClosed)).toEqual([true, true, true]);
  });

  it('closes all', async () => {
    const env = await four();
    await env.close();
    expect(env.envs.every((walk) => (walk as Walk).isClosed)).toBe(true);
  });
});
