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
const WHOLE: Record<string, number> = { Ant: 1e-5, HalfCheetah: 1e-3, Pusher: 2e-8, dog: 0.1, humanoid: 1e-6 };

function expectParity({ start, segments, task, whole, flags }: Difference, name: string): void {
  const bound = name === 'dog' ? 1e-2 : 1e-9;
  expect(start, 'states of 20 steps').toBeLessThan(1e-10);
  expect(segments, 'states in ten-step segments').toBeLessThan(bound);
  expect(task, 'observations, rewards, info').toBeLessThan(bound);
  expect(whole, 'positions over 100 steps').toBeLessThan(WHOLE[name] ?? 1e-9);
  expect(flags, 'steps with another termination or contact count').toBe(0);
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
    const { largest, where } = modelDifference(env.simulation, modelOf(file));
    expect(largest, where).toBeLessThan(1e-12);
    for (const run of trajectories(file)) expectParity(compareRun(env, run, task), domain);
    env.close();
  });
});
