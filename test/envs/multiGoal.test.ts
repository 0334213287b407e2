import { ArgumentError, MultiGoal } from 'diffrl';
import { describe, expect, it } from 'vitest';

/** The return of moving in a straight line from the middle with one velocity. */
function straight(env: MultiGoal, velocity: [number, number]) {
  env.reset({ seed: 0 });
  env.prepare({ ...env.state(), physics: { shape: [2], data: new Float64Array(2) } })();
  const rewards: number[] = [];
  for (;;) {
    const { reward, terminated, truncated } = env.step(Float32Array.from(velocity));
    rewards.push(reward);
    if (terminated || truncated) return { rewards, terminated, total: rewards.reduce((sum, value) => sum + value) };
  }
}

describe('MultiGoal', () => {
  it('pays the same on the way to each of its goals, by the stated formula', () => {
    const returns = (
      [
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
      ] as [number, number][]
    ).map(([x, y]) => straight(new MultiGoal(), [x, y]));
    // Distances 4, 3, 2, 1, 0: the fourth step ends at distance 1, which is not yet within 1.
    expect(returns[0]!.rewards).toEqual([-16 - 30, -9 - 30, -4 - 30, -1 - 30, 10 - 30]);
    for (const { rewards, terminated } of returns) {
      expect(rewards).toEqual(returns[0]!.rewards);
      expect(terminated).toBe(true);
    }
  });

  it('clips actions and the position', () => {
    const env = new MultiGoal({ goals: [[-7, -7]] });
    const { rewards, terminated } = straight(env, [9, 9]);
    expect(rewards[0]).toBeCloseTo(-(2 * 8 ** 2) - 60, 10);
    expect(rewards.at(-1)).toBeCloseTo(-(2 * 14 ** 2) - 60, 10);
    expect(terminated).toBe(false);
  });

  it('tells the nearest goal', () => {
    expect(new MultiGoal().nearestGoal([0.5, -3])).toEqual({ index: 3, distance: Math.hypot(0.5, 2) });
  });

  it('refuses goals outside of the plane and negative costs', () => {
    expect(() => new MultiGoal({ goals: [] })).toThrow(ArgumentError);
    expect(() => new MultiGoal({ goals: [[0, 8]] })).toThrow(
      /goals\[0\] must be two numbers in \[-7, 7\], got \[0,8\]/,
    );
    expect(() => new MultiGoal({ actionCost: -1 })).toThrow(/actionCost must be a number >= 0/);
  });
});
