import type { Agent } from '../../agents/agent.js';
import type { Env } from '../../envs/env.js';
import { TimeLimit } from '../../envs/wrappers/timeLimit.js';
import { requireNumber } from '../../errors.js';
import { writeFileAtomically } from '../../files/files.js';
import { requireOptions } from '../../options.js';
import { animation } from '../../plots/film.js';
import { evaluate } from '../../training/evaluate.js';
import { FrameRecorder, type FrameRecorderOptions } from './frameRecorder.js';
import { mujocoEnvIn, RENDERING } from './renderSvg.js';

/** Options of {@link film}: those of {@link FrameRecorder}, and what to film. */
export interface FilmOptions extends FrameRecorderOptions {
  agent: Agent;
  /** Made of a `MujocoEnv`, also inside wrappers; it is reset, and left open. Not the one of a running training. */
  env: Env;
  /** A file to write, in Node; none by default. */
  path?: string;
  /** Of the reset. Default 0. */
  seed?: number;
  /** Simulated seconds after which the episode is cut, above 0. Default 20. */
  seconds?: number;
}

/** An episode on film. */
export interface Film {
  /** An animated picture without scripts, for browsers. */
  svg: string;
  /** Sum of the rewards. */
  return: number;
  /** Steps of the environment. */
  length: number;
}

/**
 * Films one episode without exploration.
 *
 * @throws ArgumentError for another environment, a view that is not possible or `seconds` not above 0
 * @throws FileError if the file cannot be written
 *
 * @example
 * ```ts
 * const { return: total } = await film({ agent, env: await makeMujoco('Ant-v5'), path: 'ant.svg' });
 * ```
 */
export async function film(given: FilmOptions): Promise<Film> {
  const { agent, env, path, seed = 0, seconds = 20, ...options } = requireOptions('film', given, FILM);
  requireNumber('film', 'seconds', seconds, { above: 0 });
  const { dt, id } = mujocoEnvIn(env);
  const recorder = new FrameRecorder(new TimeLimit(env, Math.ceil(seconds / dt)), options);
  const { returns, lengths } = await evaluate({ agent, env: recorder, episodes: 1, seed });
  const { svg } = animation(recorder.frames, { fps: recorder.fps, title: id });
  if (path !== undefined) await writeFileAtomically('film', path, svg);
  return { svg, return: returns[0] as number, length: lengths[0] as number };
}

const FILM = { ...RENDERING, fps: true, agent: true, env: true, path: true, seed: true, seconds: true } as const;
