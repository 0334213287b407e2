import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluate, Pendulum } from 'diffrl';
import { film, makeMujoco } from 'diffrl/mujoco';
import { expect, it } from 'vitest';
import { requireWellFormed } from '../plots/wellFormed.js';
import { TinyAgent } from '../training/tinyAgent.js';

it('one call plays an episode and writes it as a film', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'film-'));
  const env = await makeMujoco('HalfCheetah-v5', { maxEpisodeSteps: 30 });
  const agent = new TinyAgent(env);
  const path = join(folder, 'cheetah.svg');
  const whole = await film({ agent, env, path, seed: 3, width: 120, height: 80 });
  expect(whole.length).toBe(30);
  expect(whole.return).toBe((await evaluate({ agent, env, episodes: 1, seed: 3 })).returns[0]);
  expect(await readFile(path, 'utf8')).toBe(whole.svg);
  requireWellFormed(whole.svg);
  expect(whole.svg.match(/class="frame"/g)).toHaveLength(31); // the start and 20 steps a second of 0.05 s each

  const cut = await film({ agent, env, seconds: 0.5 });
  expect(cut.length).toBe(10);
  await expect(film({ agent, env, seconds: 0 })).rejects.toThrow(/seconds must be a number .* above 0|> 0/);
  await expect(film({ agent, env: new Pendulum() })).rejects.toThrow(/must be a MujocoEnv/);
  await expect(film({ agent, env, path: join(path, 'inside.svg'), seconds: 0.1 })).rejects.toThrow(/^film: /);
  env.close();
  await rm(folder, { recursive: true });
});
