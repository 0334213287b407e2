import type { Agent } from '../agents/agent.js';
import type { Env } from '../envs/env.js';
import { Wrapper } from '../envs/wrappers/wrapper.js';
import { ArgumentError } from '../errors.js';
import { animation } from '../plots/film.js';
import { evaluate } from '../training/evaluate.js';

export interface FilmOptions {
  /** Of the episode's start, default 0. */
  seed?: number;
  /** Frames per second of simulated time, default 10. */
  fps?: number;
  /** Frames at most, from the start; default 300. */
  maxFrames?: number;
}

/**
 * An episode without exploration as an animated SVG.
 *
 * @throws ArgumentError unless there is a MuJoCo task inside `env`
 */
export async function filmEpisode(
  agent: Agent,
  env: Env,
  { seed = 0, fps = 10, maxFrames = 300 }: FilmOptions = {},
): Promise<{ svg: string; frames: number; return: number }> {
  const { FrameRecorder } = await import('../mujoco/render/frameRecorder.js');
  const { MujocoEnv } = await import('../mujoco/mujocoEnv.js');
  const inner = env instanceof Wrapper ? env.unwrapped : env;
  if (!(inner instanceof MujocoEnv)) {
    throw new ArgumentError(`film: ${env.id ?? env.constructor.name} has no pictures; only MuJoCo tasks have.`);
  }
  const recorder = new FrameRecorder(env, { fps });
  const { mean } = await evaluate({ agent, env: recorder, episodes: 1, seed });
  const frames = recorder.frames.slice(0, maxFrames);
  return { svg: animation(frames, { fps: recorder.fps, title: env.id }).svg, frames: frames.length, return: mean };
}
