import { readFileSync } from 'node:fs';
import { type MarkovEnv, MountainCarContinuous, Pendulum } from 'diffrl';
import { describe, expect, it } from 'vitest';

interface Recording {
  id: number;
  controls: string;
  start_state: number[];
  actions: number[] | string;
  state: number[][];
  observation: number[][];
  reward: number[];
  terminated: boolean[] | string;
}

const recordings = (name: string): Recording[] => {
  const file = new URL(`../../reference/classic/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).trajectories;
};

/** Steps `env` through the recording; Gymnasium 1.3.0 went on after the end, which is why the state is put back. */
function replay(env: MarkovEnv<[number, number]>, { start_state, actions, state }: Recording, check: Check): void {
  env.reset({ seed: 0 });
  env.prepare({ ...env.state(), physics: { shape: [2], data: Float64Array.from(start_state) } })();
  state.forEach((_, t) => {
    const action = typeof actions === 'string' ? 0 : actions[t]!;
    const { observation, reward, terminated } = env.step(Float32Array.of(action));
    const physics = terminated ? observation : env.state().physics!.data;
    check({ t, physics: [...physics], observation: [...observation], reward, terminated });
  });
}
type Check = (step: {
  t: number;
  physics: number[];
  observation: number[];
  reward: number;
  terminated: boolean;
}) => void;

const difference = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

describe.each(recordings('pendulum'))('Pendulum, recording $id ($controls)', (recording) => {
  it('follows Gymnasium: state and reward to 1e-12, observation to one float32 rounding', () => {
    replay(new Pendulum(), recording, ({ t, physics, observation, reward, terminated }) => {
      expect(difference(physics, recording.state[t]!)).toBeLessThan(1e-12);
      expect(Math.abs(reward - recording.reward[t]!)).toBeLessThan(1e-12);
      expect(difference(observation, recording.observation[t]!.map(Math.fround))).toBeLessThan(5e-7);
      expect(terminated).toBe(false);
    });
  });
});

describe.each(recordings('mountain_car_continuous'))(
  'MountainCarContinuous, recording $id ($controls)',
  (recording) => {
    it('follows Gymnasium: state to 1e-6, reward to 1e-7, the end at the same step', () => {
      replay(new MountainCarContinuous(), recording, ({ t, physics, observation, reward, terminated }) => {
        expect(difference(physics, recording.state[t]!)).toBeLessThan(1e-6);
        expect(difference(observation, recording.observation[t]!)).toBeLessThan(1e-6);
        expect(Math.abs(reward - recording.reward[t]!)).toBeLessThan(1e-7);
        const { terminated: recorded } = recording;
        expect(terminated).toBe(Array.isArray(recorded) && recorded[t]);
      });
    });
  },
);
