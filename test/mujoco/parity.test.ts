import { type MujocoId, makeMujoco } from 'diffrl/mujoco';
import { describe, expect, it } from 'vitest';
import { modelDifference } from './modelFigures.js';
import {
  compareRun,
  type Difference,
  GYMNASIUM_FILES,
  modelOf,
  readReference,
  SUITE_DOMAINS,
  trajectories,
} from './reference.js';

/** Bounds on positions after 100 steps: ten times what two builds of the engine differ by, where above 1e-9. */
const WHOLE: Record<string, number> = { Ant: 1e-5, HalfCheetah: 1e-3, Pusher: 2e-8, humanoid: 1e-6, walker: 1e-9 };

function expectParity(difference: Difference, name: string): void {
  expect(difference.start).toBeLessThan(1e-10);
  expect(difference.segments).toBeLessThan(1e-9);
  expect(difference.task).toBeLessThan(1e-9);
  expect(difference.whole).toBeLessThan(WHOLE[name] ?? 1e-9);
  expect(difference.flags).toBe(0);
}

describe.each(Object.entries(GYMNASIUM_FILES))('%s', (name, path) => {
  const file = readReference(`gymnasium/${path}`);

  it.each(['v5', 'v4'])('%s repeats the recorded runs', async (version) => {
    const { unwrapped: env } = await makeMujoco(`${name}-${version}` as MujocoId);
    const { largest, where } = modelDifference(env.simulation, modelOf(file, version));
    expect(largest, where).toBeLessThan(1e-12);
    for (const run of trajectories(file, version)) expectParity(compareRun(env, run), name);
    env.close();
  });
});

describe.each(SUITE_DOMAINS)('dm_control/%s', (domain) => {
  const file = readReference(`dmc/${domain}`);

  it.each(Object.keys(file.tasks))('%s repeats the recorded runs', async (task) => {
    const { unwrapped: env } = await makeMujoco(`dm_control/${domain}-${task}` as MujocoId);
    const { largest, where } = modelDifference(env.simulation, file.model);
    expect(largest, where).toBeLessThan(1e-12);
    for (const run of trajectories(file)) expectParity(compareRun(env, run, task), domain);
    env.close();
  });
});
