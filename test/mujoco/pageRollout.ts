import { makeMujoco } from '../../src/mujoco/make.js';
import { renderSvg } from '../../src/mujoco/render/renderSvg.js';

/** What a task does in twenty steps, and how it looks in the end. */
export async function rollout(): Promise<{ observations: number[][]; rewards: number[]; svg: string }> {
  const env = await makeMujoco('HalfCheetah-v5');
  const { observation } = await env.reset({ seed: 1 });
  const [observations, rewards] = [[Array.from(observation)], [] as number[]];
  for (let t = 0; t < 20; t++) {
    const result = await env.step(Float32Array.from({ length: 6 }, (_, i) => ((t + 2 * i) % 5) / 2 - 1));
    observations.push(Array.from(result.observation));
    rewards.push(result.reward);
  }
  const { svg } = renderSvg(env);
  env.close();
  return { observations, rewards, svg };
}
