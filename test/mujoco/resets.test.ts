import { type MujocoEnv, type MujocoId, makeMujoco } from 'diffrl/mujoco';
import { describe, expect, it } from 'vitest';
import { follows, normal, uniform } from './kolmogorov.js';

/** Starts of `count` episodes. */
async function starts(id: string, count: number) {
  const env = await makeMujoco(id as MujocoId);
  const { simulation } = env.unwrapped as MujocoEnv;
  const rest: Float64Array = simulation.model.qpos0.slice();
  const rows = Array.from({ length: count }, (_, i) => {
    env.reset(i === 0 ? { seed: 11 } : {});
    return { qpos: simulation.qpos.map((value, j) => value - rest[j]!), qvel: simulation.qvel.slice() };
  });
  env.close();
  return {
    qpos: (from = 0, to?: number) => rows.flatMap(({ qpos }) => Array.from(qpos.subarray(from, to))),
    qvel: (from = 0, to?: number) => rows.flatMap(({ qvel }) => Array.from(qvel.subarray(from, to))),
    rest,
  };
}

describe('starts of episodes', () => {
  it.each([
    ['Hopper-v5', 0.005],
    ['Humanoid-v5', 0.01],
    ['HumanoidStandup-v5', 0.01],
    ['InvertedPendulum-v5', 0.01],
    ['Swimmer-v5', 0.1],
    ['Walker2d-v5', 0.005],
  ])('%s: uniform noise of %f on positions and velocities', async (id, scale) => {
    const { qpos, qvel } = await starts(id, 2500);
    expect(follows(qpos(), uniform(-scale, scale))).toBe(true);
    expect(follows(qvel(), uniform(-scale, scale))).toBe(true);
  });

  it.each(['Ant-v5', 'HalfCheetah-v5', 'InvertedDoublePendulum-v5'])(
    '%s: uniform noise on positions, normal on velocities',
    async (id) => {
      const { qpos, qvel } = await starts(id, 2000);
      expect(follows(qpos(), uniform(-0.1, 0.1))).toBe(true);
      expect(follows(qvel(), normal(0, 0.1))).toBe(true);
    },
  );

  it('Reacher-v5: the target lies uniformly in a disc', async () => {
    const { qpos, qvel, rest } = await starts('Reacher-v5', 5000);
    expect(follows(qpos(0, 2), uniform(-0.1, 0.1))).toBe(true);
    const goals = qpos(2).map((value, i) => value + rest[2 + (i % 2)]!);
    const pairs = Array.from({ length: 5000 }, (_, i) => [goals[2 * i]!, goals[2 * i + 1]!] as const);
    expect(
      follows(
        pairs.map(([x, y]) => x * x + y * y),
        uniform(0, 0.04),
      ),
    ).toBe(true);
    expect(
      follows(
        pairs.map(([x, y]) => Math.atan2(y, x)),
        uniform(-Math.PI, Math.PI),
      ),
    ).toBe(true);
    expect(follows(qvel(0, 2), uniform(-0.005, 0.005))).toBe(true);
    expect(qvel(2).every((value) => value === 0)).toBe(true);
  });

  it('Pusher-v5: the object lies in a rectangle, away from the goal', async () => {
    const { qpos, qvel } = await starts('Pusher-v5', 5000);
    expect([...qpos(0, 7), ...qpos(9)].every((value) => value === 0)).toBe(true);
    const [first, second] = [qpos(7, 8), qpos(8, 9)];
    expect(first.every((value, i) => Math.hypot(value, second[i]!) > 0.17)).toBe(true);
    // the second entry is uniform where the first alone keeps the distance
    const far = second.filter((_, i) => first[i]! < -0.17);
    expect(far.length).toBeGreaterThan(3000);
    expect(follows(far, uniform(-0.2, 0.2))).toBe(true);
    const outer = first.filter((value) => value < -0.17);
    expect(follows(outer, uniform(-0.3, -0.17))).toBe(true);
    expect(first.filter((value) => value > -0.17).length / 5000).toBeCloseTo(shareNear(), 1.5);
    expect(follows(qvel(0, 7), uniform(-0.005, 0.005))).toBe(true);
    expect(qvel(7).every((value) => value === 0)).toBe(true);
  });
});

/** Share of the allowed area of the rectangle [-0.3, 0] x [-0.2, 0.2] whose first entry is above -0.17. */
function shareNear(): number {
  const cut = 0.17;
  const near = cut * 0.4 - (Math.PI * cut * cut) / 2;
  return near / (near + 0.13 * 0.4);
}
