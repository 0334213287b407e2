import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ConnectOptions, connectEnv, type RemoteEnv } from 'diffrl/remote';
import { afterEach, describe, expect, it } from 'vitest';

const file = fileURLToPath(new URL('./environments.py', import.meta.url));
const address = (name: string) => `python:${file}:${name}`;

const open: { close(): void }[] = [];
afterEach(() => {
  for (const env of open.splice(0)) env.close();
});

async function single(name: string, options?: ConnectOptions): Promise<RemoteEnv> {
  const env = await connectEnv(address(name), options);
  open.push(env);
  return env;
}

interface Recording {
  start_state: number[];
  actions: number[] | string;
  observation: number[][];
  reward: number[];
}

const pendulum = JSON.parse(readFileSync(new URL('../reference/classic/pendulum.json', import.meta.url), 'utf8'));

describe('an environment in Python', () => {
  it.each(pendulum.trajectories as Recording[])(
    "gives Gymnasium's recorded observations to the last bit, rewards to 1e-13",
    async ({ start_state, actions, observation, reward }) => {
      const env = await single('Pendulum', { kwargs: { start: start_state } });
      await env.reset();
      for (const [t, expected] of observation.entries()) {
        const step = await env.step(Float32Array.of(typeof actions === 'string' ? 0 : actions[t]!));
        expect([...step.observation]).toEqual(expected);
        expect(step.reward).toBeCloseTo(reward[t]!, 13);
      }
    },
  );
});
