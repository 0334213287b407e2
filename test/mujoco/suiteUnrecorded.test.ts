import { type MujocoEnv, type MujocoId, makeMujoco, mujocoIds } from 'diffrl/mujoco';
import { afterEach, describe, expect, it } from 'vitest';
import { tolerance } from '../../src/mujoco/suite/tolerance.js';
import { follows, uniform } from './kolmogorov.js';
import { recordedTasks } from './parity.js';

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const env of open.splice(0)) env.close();
});
const make = async (task: string) => {
  const env = await makeMujoco(`dm_control/${task}` as MujocoId);
  open.push(env);
  return { env, inner: env.unwrapped as MujocoEnv, simulation: env.unwrapped.simulation };
};

/** Sizes of observations and actions, and seconds of a control step, of the originals. */
const TASKS: Record<string, [observation: number, action: number, dt: number]> = {
  'acrobot-swingup_sparse': [6, 1, 0.01],
  'cartpole-balance': [5, 1, 0.01],
  'cartpole-balance_sparse': [5, 1, 0.01],
  'cartpole-swingup_sparse': [5, 1, 0.01],
  'cartpole-three_poles': [11, 1, 0.01],
  'cartpole-two_poles': [8, 1, 0.01],
  'finger-spin': [9, 2, 0.02],
  'finger-turn_easy': [12, 2, 0.02],
  'fish-upright': [21, 5, 0.04],
  'hopper-stand': [15, 4, 0.02],
  'humanoid-run_pure_state': [55, 21, 0.025],
  'point_mass-easy': [4, 2, 0.02],
  'point_mass-hard': [4, 2, 0.02],
  'quadruped-walk': [78, 12, 0.02],
  'reacher-easy': [6, 2, 0.02],
  'reacher-hard': [6, 2, 0.02],
  'swimmer-swimmer15': [61, 14, 0.03],
  'swimmer-swimmer6': [25, 5, 0.03],
};

it('these are all tasks of the suite without a recording', () => {
  const recorded = new Set<string>(recordedTasks().map(({ id }) => id));
  const others = mujocoIds().filter((id) => !recorded.has(id));
  expect(others.map((id) => id.replace('dm_control/', '')).sort()).toEqual(Object.keys(TASKS).sort());
});

describe.each(Object.entries(TASKS))('dm_control/%s', (task, [observation, action, dt]) => {
  it('has the sizes of the original, rewards in [0, 1], 1000 steps and no end before; repeats itself', async () => {
    const { env, inner } = await make(task);
    expect([env.observationSpace.size, env.actionSpace.size]).toEqual([observation, action]);
    expect(inner.dt).toBeCloseTo(dt, 12);
    expect(env.maxEpisodeSteps).toBe(1000);
    const play = async () => {
      const rows = [Array.from((await env.reset({ seed: 4 })).observation)];
      for (let t = 0; t < 10; t++) {
        const step = await env.step(env.actionSpace.high.map((high, i) => high * Math.sin(t + i)));
        expect(step.reward).toBeGreaterThanOrEqual(0);
        expect(step.reward).toBeLessThanOrEqual(1);
        expect([step.terminated, step.truncated]).toEqual([false, false]);
        rows.push([...step.observation, step.reward]);
      }
      return rows;
    };
    expect(await play()).toEqual(await play());
  });
});

describe('rewards at states where they are known', () => {
  const rewardAt = async (task: string, write: (simulation: MujocoEnv['simulation']) => void) => {
    const { env, inner, simulation } = await make(task);
    await env.reset({ seed: 1 });
    simulation.qvel.fill(0);
    write(simulation);
    simulation.forward();
    const { reward } = inner.task.evaluate({
      ...{ simulation, action: new Float32Array(env.actionSpace.size), before: [], after: [], dt: inner.dt },
    });
    return reward;
  };

  it.each(['balance', 'balance_sparse', 'swingup_sparse', 'two_poles', 'three_poles'])(
    'cartpole-%s: 1 upright in the middle, less elsewhere',
    async (name) => {
      const task = `cartpole-${name}`;
      expect(await rewardAt(task, ({ qpos }) => qpos.fill(0))).toBeCloseTo(1, 12);
      const hanging = await rewardAt(task, ({ qpos }) => qpos.fill(0).fill(Math.PI, 1, 2));
      expect(hanging).toBeLessThan(1e-9);
      const aside = await rewardAt(task, ({ qpos }) => qpos.fill(0).fill(0.26, 0, 1));
      if (name.endsWith('sparse')) expect(aside).toBe(0);
      else expect(aside).toBeCloseTo((1 + tolerance(0.26, { margin: 2 })) / 2, 12);
    },
  );

  it('cartpole with three poles: the mean of the heights, the fastest pole', async () => {
    const reward = await rewardAt('cartpole-three_poles', ({ qpos, qvel }) => {
      qpos.set([0, 0, Math.PI / 2, 0]); // upright, level, level
      qvel.set([0, 1, 5, 2]);
    });
    expect(reward).toBeCloseTo(((1 + 0.5 + 0.5) / 3) * ((1 + 0.1) / 2), 12);
  });

  it('acrobot-swingup_sparse: only within 0.2 of the target', async () => {
    expect(await rewardAt('acrobot-swingup_sparse', ({ qpos }) => qpos.fill(0))).toBe(1);
    expect(await rewardAt('acrobot-swingup_sparse', ({ qpos }) => qpos.set([0.12, 0]))).toBe(0); // 0.24 m away
  });

  it('finger: turning backwards at 15 rad/s; the easy target is larger than the hard one', async () => {
    const spin = (rate: number) => rewardAt('finger-spin', ({ qvel }) => qvel.set([rate], 2));
    expect([await spin(-15.5), await spin(-14), await spin(20)]).toEqual([1, 0, 0]);
    const radii = await Promise.all(
      ['easy', 'hard'].map(async (name) => {
        const { simulation } = await make(`finger-turn_${name}`);
        return simulation.model.site_size[3 * simulation.id('site', 'target')];
      }),
    );
    expect(radii).toEqual([0.07, 0.03]);
    const { simulation } = await make('finger-spin');
    const hinge = simulation.model.jnt_dofadr[simulation.id('joint', 'hinge')];
    expect(simulation.model.dof_damping[hinge]).toBe(0.03);
  });

  it('fish-upright: 1 upright, a tenth lying on its side', async () => {
    expect(await rewardAt('fish-upright', ({ qpos }) => qpos.set([1, 0, 0, 0], 3))).toBe(1);
    const lying = [Math.SQRT1_2, 0, Math.SQRT1_2, 0];
    expect(await rewardAt('fish-upright', ({ qpos }) => qpos.set(lying, 3))).toBeCloseTo(0.1, 9);
  });

  it('point_mass: 1 in the middle, 0.1 two target radii away', async () => {
    const at = (x: number) => rewardAt('point_mass-easy', ({ qpos }) => qpos.set([x, 0]));
    expect(await at(0)).toBeCloseTo(1, 12);
    expect(await at(0.03)).toBeCloseTo(0.1, 9);
  });

  it.each([
    ['easy', 0.06],
    ['hard', 0.025],
  ])('reacher-%s: 1 while finger and target touch, %f m apart', async (name, reach) => {
    const { env, inner, simulation } = await make(`reacher-${name}`);
    await env.reset({ seed: 2 });
    const outcome = { simulation, action: new Float32Array(2), before: [], after: [], dt: inner.dt };
    const rewardNear = (distance: number) => {
      const finger = simulation.geomPosition('finger');
      const target = simulation.model.geom_pos.subarray(3 * simulation.id('geom', 'target'));
      target.set([finger[0]! + distance, finger[1]!]);
      simulation.forward();
      return inner.task.evaluate(outcome).reward;
    };
    expect([rewardNear(reach - 1e-6), rewardNear(reach + 1e-6)]).toEqual([1, 0]);
  });

  it('swimmer: 1 at the target, a tenth five of its radii further away, slowly falling', async () => {
    const at = (gap: number) =>
      rewardAt('swimmer-swimmer6', (simulation) => {
        simulation.qpos.fill(0);
        simulation.forward();
        const [x, y] = simulation.geomPosition('nose');
        simulation.model.geom_pos.set([x! + 0.1 + gap, y!], 3 * simulation.id('geom', 'target'));
      });
    expect([await at(-0.05), await at(-1e-9)]).toEqual([1, 1]);
    expect(await at(0.5)).toBeCloseTo(0.1, 12);
    expect(await at(1)).toBeCloseTo(1 / (4 * 9 + 1), 12);
  });

  it('hopper-stand and quadruped-walk move as hop and run do; walking is easier', async () => {
    for (const [one, other] of [
      ['hopper-stand', 'hopper-hop'],
      ['quadruped-walk', 'quadruped-run'],
    ] as const) {
      const [a, b] = [await make(one), await make(other)];
      let [easy, hard] = [0, 0];
      await a.env.reset({ seed: 3 });
      await b.env.reset({ seed: 3 });
      for (let t = 0; t < 20; t++) {
        const action = a.env.actionSpace.high.map((_, i) => Math.sin(t + i));
        const [left, right] = [await a.env.step(action), await b.env.step(action)];
        expect(left.observation).toEqual(right.observation);
        easy += left.reward;
        hard += right.reward;
      }
      expect(easy).toBeGreaterThanOrEqual(hard);
    }
  });

  it('humanoid-run_pure_state is run seen otherwise', async () => {
    const [pure, seen] = [await make('humanoid-run_pure_state'), await make('humanoid-run')];
    expect(pure.inner.layout).toEqual({ position: { from: 0, to: 28 }, velocity: { from: 28, to: 55 } });
    await pure.env.reset({ seed: 5 });
    await seen.env.reset({ seed: 5 });
    const action = new Float32Array(21).fill(0.2);
    for (let t = 0; t < 5; t++) expect((await pure.env.step(action)).reward).toBe((await seen.env.step(action)).reward);
  });
});

describe('starts of episodes', () => {
  const starts = async (task: string, count: number, read: (env: MujocoEnv) => ArrayLike<number>) => {
    const { env, inner } = await make(task);
    const values: number[] = [];
    for (let i = 0; i < count; i++) {
      await env.reset(i === 0 ? { seed: 8 } : {});
      values.push(...Array.from(read(inner)));
    }
    return values;
  };
  const column = (values: number[], width: number, i: number) => values.filter((_, j) => j % width === i);

  it('cartpole-balance: near upright', async () => {
    const states = await starts('cartpole-balance', 2000, ({ simulation }) => simulation.qpos);
    expect(follows(column(states, 2, 0), uniform(-0.1, 0.1))).toBe(true);
    expect(follows(column(states, 2, 1), uniform(-0.034, 0.034))).toBe(true);
  });

  it('reacher: targets between 0.05 and 0.2 m, joints anywhere', async () => {
    const states = await starts('reacher-easy', 2000, ({ simulation }) => {
      const [x, y] = simulation.geomPosition('target');
      return [Math.hypot(x!, y!), Math.atan2(y!, x!), simulation.qpos[0]!];
    });
    expect(follows(column(states, 3, 0), uniform(0.05, 0.2))).toBe(true);
    expect(follows(column(states, 3, 1), uniform(-Math.PI, Math.PI))).toBe(true);
    expect(follows(column(states, 3, 2), uniform(-Math.PI, Math.PI))).toBe(true);
  });

  it('point_mass-hard: unit directions that are not too parallel, part of the state', async () => {
    const directions = await starts('point_mass-hard', 200, ({ simulation }) => simulation.model.wrap_prm.slice());
    for (let i = 0; i < directions.length; i += 4) {
      const [a, b, c, d] = directions.slice(i) as [number, number, number, number];
      expect([Math.hypot(a, b), Math.hypot(c, d)].every((norm) => Math.abs(norm - 1) < 1e-12)).toBe(true);
      expect(Math.abs(a * c + b * d)).toBeLessThanOrEqual(0.9);
    }
    expect(
      follows(
        directions.filter((_, i) => i % 4 === 0).map((x) => Math.acos(x)),
        uniform(0, Math.PI),
      ),
    ).toBe(true);
    const { inner } = await make('point_mass-hard');
    inner.reset({ seed: 1 });
    expect(Object.keys(inner.state())).toContain('model/wrap_prm');
  });

  it('swimmer: one target in five is close', async () => {
    const places = await starts('swimmer-swimmer6', 1000, ({ simulation }) =>
      simulation.geomPosition('target').slice(0, 2),
    );
    const close = column(places, 2, 0).filter((x, i) => Math.max(Math.abs(x), Math.abs(places[2 * i + 1]!)) < 0.3);
    const share = 0.2 + 0.8 * (0.3 / 2) ** 2;
    expect(Math.abs(close.length / 1000 - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / 1000));
  });
});
