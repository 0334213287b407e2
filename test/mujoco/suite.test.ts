import { type MujocoEnv, type MujocoId, makeMujoco } from 'diffrl/mujoco';
import { describe, expect, it } from 'vitest';
import { tolerance } from '../../src/mujoco/suite/tolerance.js';
import { follows, normal, uniform } from './kolmogorov.js';
import { readReference, SUITE_DOMAINS } from './reference.js';

const TASKS = SUITE_DOMAINS.flatMap((domain) => {
  const { common, tasks } = readReference(`dmc/${domain}`);
  return Object.keys(tasks).map((task) => ({ id: `dm_control/${domain}-${task}` as MujocoId, common }));
});

describe.each(TASKS)('$id', ({ id, common }) => {
  it('has the sizes, ranges, time limit and layout of the original; never terminates', async () => {
    const env = await makeMujoco(id);
    const inner = env.unwrapped as MujocoEnv;
    expect(env.maxEpisodeSteps).toBe(common.time_limit_steps);
    expect(inner.dt).toBeCloseTo(common.control_dt, 12);
    const ranges = common.action.range as [number, number][];
    expect(env.actionSpace.low).toEqual(Float32Array.from(ranges, ([low]) => low));
    expect(env.actionSpace.high).toEqual(Float32Array.from(ranges, ([, high]) => high));
    const slices = common.observation.slices as { name: string; from: number; to: number }[];
    expect(inner.layout).toEqual(Object.fromEntries(slices.map(({ name, from, to }) => [name, { from, to }])));
    expect((await env.reset({ seed: 1 })).info).toEqual({});
    const { reward, terminated, info } = await env.step(env.actionSpace.low.slice());
    expect(reward).toBeGreaterThanOrEqual(0);
    expect(reward).toBeLessThanOrEqual(1);
    expect([terminated, info]).toEqual([false, {}]);
    await expect(makeMujoco(id, { gravity: 1 } as object)).rejects.toThrow(/no option 'gravity'/);
    env.close();
  });
});

describe('starts of episodes', () => {
  /** What `read` gives after each of `count` resets, in one list. */
  async function starts(id: MujocoId, count: number, read: (env: MujocoEnv) => ArrayLike<number>) {
    const env = await makeMujoco(id);
    const values: number[] = [];
    for (let i = 0; i < count; i++) {
      await env.reset(i === 0 ? { seed: 21 } : {});
      values.push(...Array.from(read(env.unwrapped as MujocoEnv)));
    }
    env.close();
    return values;
  }
  const column = (values: number[], width: number, i: number) => values.filter((_, j) => j % width === i);

  it('pendulum and acrobot: angles uniform on the circle', async () => {
    for (const id of ['dm_control/pendulum-swingup', 'dm_control/acrobot-swingup'] as const) {
      const angles = await starts(id, 3000, ({ simulation }) => simulation.qpos);
      expect(follows(angles, uniform(-Math.PI, Math.PI))).toBe(true);
    }
  });

  it('cartpole: normal around hanging', async () => {
    const states = await starts('dm_control/cartpole-swingup', 3000, ({ simulation: { qpos, qvel } }) => [
      ...[qpos[0]!, qpos[1]! - Math.PI],
      ...qvel,
    ]);
    expect(follows(states, normal(0, 0.01))).toBe(true);
  });

  it('walker: limited joints in their ranges, pitch on the circle, slides at rest', async () => {
    const states = await starts('dm_control/walker-run', 2000, ({ simulation }) => simulation.qpos);
    const degrees = Math.PI / 180;
    expect(follows(column(states, 9, 2), uniform(-Math.PI, Math.PI))).toBe(true);
    expect(follows(column(states, 9, 3), uniform(-20 * degrees, 100 * degrees))).toBe(true);
    expect(follows(column(states, 9, 7), uniform(-150 * degrees, 0))).toBe(true);
    expect(column(states, 9, 0).every((value) => value === 0)).toBe(true);
  });

  it('cheetah: settled on the ground at time 0', async () => {
    const states = await starts('dm_control/cheetah-run', 20, ({ simulation }) => [
      simulation.time,
      simulation.bodyPosition('torso')[2]!,
    ]);
    expect(column(states, 2, 0).every((time) => time === 0)).toBe(true);
    expect(column(states, 2, 1).every((height) => height > 0 && height < 1)).toBe(true);
  });

  it.each(['ball_in_cup-catch', 'finger-turn_hard', 'humanoid-run', 'quadruped-run'])(
    '%s: without contact',
    async (task) => {
      const contacts = await starts(`dm_control/${task}` as MujocoId, 50, ({ simulation }) => [simulation.data.ncon]);
      expect(Math.max(...contacts)).toBe(0);
    },
  );

  it('quadruped: turned uniformly on the sphere; humanoid: turned by four uniforms', async () => {
    const quadruped = await starts('dm_control/quadruped-run', 400, ({ simulation }) => simulation.qpos.subarray(3, 7));
    // the up axis of a uniform rotation has a uniform height
    const height = (values: number[]) =>
      column(values, 4, 0).map((_, i) => 1 - 2 * (values[4 * i + 1]! ** 2 + values[4 * i + 2]! ** 2));
    expect(follows(height(quadruped), uniform(-1, 1))).toBe(true);
    const humanoid = await starts('dm_control/humanoid-run', 300, ({ simulation }) => simulation.qpos.subarray(3, 7));
    expect(humanoid.every((value) => value >= 0)).toBe(true);
    expect(follows(height(humanoid), uniform(-1, 1))).toBe(false);
  });

  it('finger: the target lies on the circle of the spinner; fish: in a box', async () => {
    const finger = await starts('dm_control/finger-turn_hard', 2000, ({ simulation }) => {
      const [x, , z] = simulation.sitePosition('target');
      return [Math.atan2(x! - 0.2, z! - 0.4), Math.hypot(x! - 0.2, z! - 0.4)];
    });
    expect(follows(column(finger, 2, 0), uniform(-Math.PI, Math.PI))).toBe(true);
    expect(column(finger, 2, 1).every((radius) => Math.abs(radius - 0.13) < 1e-12)).toBe(true);
    const fish = await starts('dm_control/fish-swim', 2000, ({ simulation }) => simulation.geomPosition('target'));
    expect(follows(column(fish, 3, 0), uniform(-0.4, 0.4))).toBe(true);
    expect(follows(column(fish, 3, 2), uniform(0.1, 0.3))).toBe(true);
  });

  it('dog: turned about the vertical, thrown about, muscles at random', async () => {
    const states = await starts('dm_control/dog-run', 500, ({ simulation }) => [
      2 * Math.atan2(simulation.qpos[6]!, simulation.qpos[3]!),
      ...[0, 1, 5].map((dof) => simulation.qvel[dof]!),
      ...simulation.array('act'),
    ]);
    const angles = column(states, 42, 0).map((angle) => (angle + 2 * Math.PI) % (2 * Math.PI));
    expect(follows(angles, uniform(0, 2 * Math.PI))).toBe(true);
    expect(
      follows(
        [1, 2, 3].flatMap((i) => column(states, 42, i)),
        normal(0, 2),
      ),
    ).toBe(true);
    expect(
      follows(
        states.filter((_, i) => i % 42 > 3),
        uniform(-1, 1),
      ),
    ).toBe(true);
  });
});

describe('tolerance', () => {
  it('is 1 inside the bounds, the value at the margin, and falls as its shape says', () => {
    expect(tolerance(0.5, { upper: 1 })).toBe(1);
    expect(tolerance(1.1, { upper: 1 })).toBe(0);
    expect(tolerance(-2, { upper: 1, margin: 2 })).toBeCloseTo(0.1, 12);
    expect(tolerance(3, { margin: 2 })).toBeCloseTo(0.1 ** (1.5 ** 2), 12);
    expect(tolerance(1.5, { upper: 1, margin: 1, shape: 'linear', valueAtMargin: 0.5 })).toBeCloseTo(0.75, 12);
    expect(tolerance(4, { upper: 1, margin: 1, shape: 'linear', valueAtMargin: 0.5 })).toBe(0);
    expect(tolerance(0.5, { margin: 1, shape: 'quadratic', valueAtMargin: 0 })).toBeCloseTo(0.75, 12);
    expect(tolerance(9, { margin: 1, shape: 'quadratic', valueAtMargin: 0 })).toBe(0);
  });
});
