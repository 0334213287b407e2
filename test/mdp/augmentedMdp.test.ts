import { AugmentedMdp, EnvironmentError, MultiGoal, Pendulum, Rng, ShapeError } from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadState } from '../../src/state.js';

/** A pendulum that remembers what was done to it. */
function watched(limit = 5) {
  const inner = new Pendulum({ maxEpisodeSteps: limit });
  const seen = { steps: 0, rewards: [] as number[], actions: [] as number[] };
  const step = inner.step.bind(inner);
  inner.step = (action) => {
    const result = step(action);
    seen.steps++;
    seen.rewards.push(result.reward);
    seen.actions.push(action[0]!);
    return result;
  };
  return { inner, seen };
}

describe('AugmentedMdp', () => {
  it('keeps its contract over any rollout (any K, any seed, any latents)', async () => {
    const property = fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.nat(1000), async (steps, seed) => {
      const { inner, seen } = watched();
      const mdp = new AugmentedMdp(inner, { diffusionSteps: steps });
      const rng = Rng.fromSeed(seed);
      let { observation } = await mdp.reset({ seed });
      let total = 0;
      for (let i = 0; i < 4 * steps; i++) {
        const k = observation[4]!;
        expect(k).toBe(steps - (i % steps));
        const latent = rng.normals(1);
        const { observation: next, reward, info, truncated, terminated } = await mdp.step(latent);
        expect(seen.steps).toBe(Math.floor((i + 1) / steps));
        expect(info.discount).toBe(k === 1 ? 0.99 : 1);
        expect(terminated || truncated).toBe(false);
        if (k > 1) {
          expect(reward).toBe(0);
          expect(next.slice(0, 3)).toEqual(observation.slice(0, 3));
          expect(next[3]).toBe(latent[0]);
        } else {
          expect(seen.actions.at(-1)).toBe(Math.fround(2 * Math.fround(Math.tanh(latent[0]!))));
        }
        total += reward;
        observation = next;
      }
      expect(total).toBe(seen.rewards.reduce((sum, reward) => sum + reward, 0));
    });
    await fc.assert(property, { numRuns: 25 });
  });

  it('truncates and terminates at the end of a phase only, at K times the limit', async () => {
    const mdp = new AugmentedMdp(watched(5).inner, { diffusionSteps: 3 });
    await mdp.reset({ seed: 1 });
    const flags = [];
    for (let i = 0; i < 15; i++) flags.push((await mdp.step(Float32Array.of(0.1))).truncated);
    expect(flags.indexOf(true)).toBe(14);
  });

  it('draws the first latent from the prior (4000 draws, 4 standard errors)', async () => {
    const mdp = new AugmentedMdp(new MultiGoal(), { diffusionSteps: 1, priorStd: 1.7 });
    let { observation } = await mdp.reset({ seed: 2 });
    const draws: number[] = [];
    for (let i = 0; i < 2000; i++) {
      draws.push(observation[2]!, observation[3]!);
      const step = await mdp.step(Float32Array.of(0, 0));
      observation = step.truncated ? (await mdp.reset()).observation : step.observation;
    }
    const mean = draws.reduce((sum, x) => sum + x) / draws.length;
    const std = Math.sqrt(draws.reduce((sum, x) => sum + x ** 2, 0) / draws.length);
    expect(Math.abs(mean)).toBeLessThan((4 * 1.7) / Math.sqrt(4000));
    expect(Math.abs(std - 1.7)).toBeLessThan((4 * 1.7) / Math.sqrt(8000));
  });

  it('draws latents from the named stream', async () => {
    const mdp = new AugmentedMdp(new MultiGoal(), { diffusionSteps: 2 });
    const { observation } = await mdp.reset({ seed: 5 });
    expect(observation.slice(2, 4)).toEqual(Rng.fromSeed(5).split('prior').normals(2, 0, 2.5));
  });

  it('goes on bit for bit from a saved state, within a phase too', async () => {
    const mdp = new AugmentedMdp(new Pendulum(), { diffusionSteps: 3 });
    const twin = new AugmentedMdp(new Pendulum(), { diffusionSteps: 3 });
    await mdp.reset({ seed: 3 });
    for (let i = 0; i < 4; i++) await mdp.step(Float32Array.of(i));
    await loadState(twin, await mdp.state!());
    for (let i = 0; i < 7; i++) {
      expect(await twin.step(Float32Array.of(-i))).toEqual(await mdp.step(Float32Array.of(-i)));
    }
  });

  it('has no state where the environment has none', () => {
    const { observationSpace, actionSpace } = new Pendulum();
    const stateless = { observationSpace, actionSpace, reset: () => never(), step: () => never() };
    expect(new AugmentedMdp(stateless, { diffusionSteps: 2 }).state).toBeUndefined();
  });

  it('refuses a step before reset and latents of another size', async () => {
    const mdp = new AugmentedMdp(new Pendulum(), { diffusionSteps: 2 });
    await expect(mdp.step(Float32Array.of(0))).rejects.toThrow(EnvironmentError);
    await mdp.reset({ seed: 0 });
    await expect(mdp.step(Float32Array.of(0, 0))).rejects.toThrow(ShapeError);
  });
});

function never(): never {
  throw new Error('not called');
}
