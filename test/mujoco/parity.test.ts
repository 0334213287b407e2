import { type MujocoId, makeMujoco } from 'diffrl/mujoco';
import { describe, expect, it } from 'vitest';
import { modelDifference } from './modelFigures.js';
import { compareRun, GYMNASIUM_FILES, modelOf, readReference, trajectories } from './reference.js';

/** Bounds on positions after 100 steps where ten times the engine's own sensitivity is above 1e-9. */
const WHOLE: Record<string, number> = { Ant: 1e-5, HalfCheetah: 1e-3, Pusher: 2e-8 };

describe.each(Object.entries(GYMNASIUM_FILES))('%s', (name, path) => {
  const file = readReference(`gymnasium/${path}`);

  it.each(['v5', 'v4'])('%s repeats the recorded runs', async (version) => {
    const { unwrapped: env } = await makeMujoco(`${name}-${version}` as MujocoId);
    const { largest, where } = modelDifference(env.simulation, modelOf(file, version));
    expect(largest, where).toBeLessThan(1e-12);
    for (const run of trajectories(file, version)) {
      const difference = compareRun(env, run);
      expect(difference.start).toBeLessThan(1e-10);
      expect(difference.segments).toBeLessThan(1e-9);
      expect(difference.task).toBeLessThan(1e-9);
      expect(difference.whole).toBeLessThan(WHOLE[name] ?? 1e-9);
      expect(difference.flags).toBe(0);
    }
    env.close();
  });
});
