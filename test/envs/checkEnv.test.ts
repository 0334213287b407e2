import { Box, checkEnv, type Env, MountainCarContinuous, MultiGoal, Pendulum } from 'diffrl';
import { makeMujoco } from 'diffrl/mujoco';
import { describe, expect, it } from 'vitest';
import { Walk } from './toys.js';

describe('checkEnv', () => {
  it.each([Pendulum, MountainCarContinuous, MultiGoal])('finds no fault in %o', async (Kind) => {
    await checkEnv(new Kind() as Env, { steps: 250 });
  });

  it.each(['HalfCheetah-v5', 'Humanoid-v5', 'dm_control/quadruped-run'] as const)(
    'finds no fault in %s',
    async (id) => {
      const env = await makeMujoco(id, { maxEpisodeSteps: 30 });
      await checkEnv(env, { steps: 50, close: true });
      expect(() => env.step(env.actionSpace.low)).toThrow(/was closed/);
    },
  );

  /** Faulty environments and what the checker must say of them. */
  const faulty: Record<string, [Env, RegExp]> = {
    'no box': [Object.assign(new Walk(), { actionSpace: { size: 1 } as never }), /actionSpace must be a Box/],
    'no choice': [Object.assign(new Walk(), { actionSpace: Box.uniform(1, 1, 1) }), /action 0 has equal bounds/],
    'plain array': [
      new (class extends Walk {
        override reset() {
          return { observation: [1] as never, info: {} };
        }
      })(),
      /reset: observation must be a Float32Array, got \[1\]/,
    ],
    'wrong size': [Object.assign(new Walk(), { observationSpace: Box.uniform(2) }), /must have 2 numbers, got 1/],
    'outside the space': [
      Object.assign(new Walk(), { observationSpace: Box.uniform(1, 5, 6) }),
      /observation\[0\] = .* outside of \[5, 6\]/,
    ],
    'no reward': [
      new (class extends Walk {
        override step(action: Float32Array) {
          return { ...super.step(action), reward: Number.NaN };
        }
      })(),
      /step: reward must be a finite number, got NaN/,
    ],
    'no booleans': [
      new (class extends Walk {
        override step(action: Float32Array) {
          return { ...super.step(action), terminated: 0 as never };
        }
      })(),
      /step: terminated must be a boolean, got 0/,
    ],
    'no info': [
      new (class extends Walk {
        override step(action: Float32Array) {
          return { ...super.step(action), info: undefined as never };
        }
      })(),
      /step: info must be an object/,
    ],
    'reused array': [
      new (class extends Walk {
        private readonly buffer = new Float32Array(1);
        override step(action: Float32Array) {
          const result = super.step(action);
          this.buffer.set(result.observation);
          return { ...result, observation: this.buffer };
        }
      })(),
      /an observation changed after it was returned/,
    ],
    'changed action': [
      new (class extends Walk {
        override step(action: Float32Array) {
          action[0] = 0;
          return super.step(action);
        }
      })(),
      /step changed the action/,
    ],
    'own randomness': [
      new (class extends Walk {
        override step(action: Float32Array) {
          this.x += Math.random();
          return super.step(action);
        }
      })(),
      /same seed and the same actions differ/,
    ],
    'same episode again': [
      new (class extends Walk {
        override reset({ seed = 2 }: { seed?: number } = {}) {
          return super.reset({ seed });
        }
      })(),
      /begins the same episode again and again/,
    ],
    'forgetful state': [
      new (class extends Walk {
        override prepare() {
          return () => {};
        }
      })(),
      /leads elsewhere than when it was saved/,
    ],
    'half a state': [Object.assign(new Walk(), { prepare: undefined as never }), /must both be there/],
  };

  it.each(Object.keys(faulty))('finds: %s', async (name) => {
    const [env, message] = faulty[name]!;
    await expect(checkEnv(env)).rejects.toThrow(message);
  });

  it('closes where it is asked to, and finds: second close', async () => {
    let count = 0;
    class Once extends Walk {
      override close() {
        if (count++) throw new Error('nothing to close');
      }
    }
    await checkEnv(new Once());
    expect(count).toBe(0);
    await expect(checkEnv(new Once(), { close: true })).rejects.toThrow(/a second close threw 'nothing to close'/);
  });

  it('gives advice on what is allowed', async () => {
    const plain = Object.assign(new Walk(), {
      ...{ id: undefined as never, state: undefined as never, prepare: undefined as never },
      actionSpace: Box.uniform(1, -2, 2),
    });
    const advice = (await checkEnv(plain)).join();
    for (const part of ['not in [-1, 1]', 'no id', 'no state']) expect(advice).toContain(part);
    expect(await checkEnv(new Walk())).toEqual([]);
  });
});
