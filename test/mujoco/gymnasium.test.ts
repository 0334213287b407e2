import { type MujocoEnv, type MujocoId, makeMujoco } from 'diffrl/mujoco';
import { describe, expect, it } from 'vitest';
import { GYMNASIUM_FILES, readReference } from './reference.js';

const camelCase = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const number = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(number);
  return typeof value === 'string' ? Number(value) : value;
};

describe.each(
  Object.entries(GYMNASIUM_FILES).flatMap(([name, path]) => ['v5', 'v4'].map((version) => ({ name, path, version }))),
)('$name-$version', ({ name, path, version }) => {
  const { task } = readReference(`gymnasium/${path}`).versions[version];
  const { info = { on_reset: [], on_step: ['reward_ctrl', 'reward_dist'] }, options: peer = {} } = task; // Pusher-v4
  const make = (options = {}) => makeMujoco(`${name}-${version}` as MujocoId, options);

  it('has the sizes, ranges, time limit, layout and info of the original', async () => {
    const env = await make();
    const inner = env.unwrapped as MujocoEnv;
    expect(env.maxEpisodeSteps).toBe(task.time_limit_steps);
    expect(inner.dt).toBeCloseTo(task.dt, 12);
    expect(env.observationSpace.size).toBe(task.observation.size);
    expect(Array.from(env.actionSpace.low)).toEqual(task.action.range.map(([low]: number[]) => Math.fround(low!)));
    expect(Array.from(env.actionSpace.high)).toEqual(task.action.range.map(([, high]: number[]) => Math.fround(high!)));
    const slices = task.observation.slices as { name: string; from: number; to: number }[];
    expect(inner.layout).toEqual(Object.fromEntries(slices.map(({ name, from, to }) => [name, { from, to }])));
    expect(Object.keys((await env.reset({ seed: 1 })).info).sort()).toEqual(info.on_reset);
    const step = await env.step(new Float32Array(env.actionSpace.size));
    expect(Object.keys(step.info).sort()).toEqual(info.on_step);
    env.close();
  });

  it('has the options of the original', async () => {
    const options = Object.fromEntries(
      Object.entries(peer).map(([option, value]) => [camelCase(option), number(value)]),
    );
    const [plain, spelled] = [await make(), await make(options)];
    await plain.reset({ seed: 3 });
    await spelled.reset({ seed: 3 });
    const action = plain.actionSpace.high.map((value) => value / 2);
    for (let t = 0; t < 5; t++) expect(await spelled.step(action)).toEqual(await plain.step(action));
    await expect(make({ ...options, frame_skip: 1 })).rejects.toThrow(/no option 'frame_skip'/);
    plain.close();
    spelled.close();
  });
});

describe('options', () => {
  it('change what they name', async () => {
    const humanoid = await makeMujoco('Humanoid-v5', { includeCinertInObservation: false, frameSkip: 1 });
    expect(humanoid.observationSpace.size).toBe(348 - 130);
    expect(humanoid.unwrapped.dt).toBeCloseTo(0.003, 12);
    const ant = await makeMujoco('Ant-v4', { useContactForces: true });
    expect(ant.observationSpace.size).toBe(111);
    const byName = await makeMujoco('Ant-v5', { mainBody: 'torso', excludeCurrentPositionsFromObservation: false });
    expect(byName.observationSpace.size).toBe(107);
    await byName.reset({ seed: 1 });
    expect((await byName.step(new Float32Array(8))).info.x_velocity).toBeTypeOf('number');
    const hopper = await makeMujoco('Hopper-v5', { terminateWhenUnhealthy: false, healthyAngleRange: [5, 6] });
    await hopper.reset({ seed: 1 });
    const { terminated, info } = await hopper.step(new Float32Array(3));
    expect([terminated, info.reward_survive]).toEqual([false, 0]);
    for (const env of [humanoid, ant, byName, hopper]) env.close();
  });
});
