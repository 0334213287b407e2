import type { Agent } from '../agents/agent.js';
import type { Env } from '../envs/env.js';
import { lostRows } from '../envs/lost.js';
import type { VectorEnv } from '../envs/vectorEnv.js';
import { EnvironmentError, requireInteger } from '../errors.js';
import { requireOptions } from '../options.js';
import { Rng } from '../rng/rng.js';
import { mean, std } from '../stats/summary.js';
import { environments, requireMatch } from './environments.js';

/** Results of some episodes. */
export interface Evaluation {
  /** Sum of rewards, episode by episode. */
  returns: number[];
  /** Steps, episode by episode. */
  lengths: number[];
  /** Mean of the returns. */
  mean: number;
  /** Sample standard deviation of the returns. */
  std: number;
  /**
   * Whether `info.success` was `true`, or above 0, at some step of the episode, episode by episode. Only where the
   * environment says it of every episode.
   */
  successes?: boolean[];
  /** Share of the episodes that succeeded, in [0, 1]. */
  successRate?: number;
}

export interface EvaluateOptions {
  agent: Agent;
  /** Must not be the environment of a running training. Many environments are evaluated side by side. */
  env: Env | VectorEnv;
  /** Default 10. */
  episodes?: number;
  /** Fixes the starts and, episode by episode, what is random in the agent: the same seed, the same result. Default 0. */
  seed?: number;
  /** An episode longer than this is an error rather than an endless wait. Default 100,000. */
  maxEpisodeSteps?: number;
}

/**
 * Plays whole episodes with `explore: false`.
 *
 * Many environments share the episodes out beforehand, so that short episodes are not counted more often than long ones.
 * An episode that is lost with the connection to its environment is played again.
 *
 * @throws EnvironmentError if the environment throws, breaks its contract or does not end its episode
 *
 * @example
 * ```ts
 * const { mean, std } = await evaluate({ agent, env: new Pendulum(), episodes: 20 });
 * ```
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  requireOptions('evaluate', options, { agent: true, env: true, episodes: true, seed: true, maxEpisodeSteps: true });
  const { agent, env, episodes = 10, seed = 0, maxEpisodeSteps = 100_000 } = options;
  requireInteger('evaluate', 'episodes', episodes, { min: 1 });
  if (maxEpisodeSteps !== Infinity) requireInteger('evaluate', 'maxEpisodeSteps', maxEpisodeSteps, { min: 1 });
  requireMatch('evaluate', agent, env);
  const worlds = environments('evaluate', env);
  const { numEnvs } = worlds;
  const due = Array.from({ length: numEnvs }, (_, i) => Math.floor((episodes + i) / numEnvs));
  const streams = Rng.fromSeed(seed).split('evaluation');
  const begin = (env: number, episode: number): PlayedEpisode & { episode: number; noise: Rng } => {
    return { return: 0, length: 0, episode, noise: streams.split(env).split(episode) };
  };
  const running = Array.from({ length: numEnvs }, (_, i) => begin(i, 0));
  const finished: PlayedEpisode[] = [];

  let observations = await worlds.reset('at the start', streams.uint32());
  for (let step = 1; finished.length < episodes; step++) {
    const noise = running.map((episode) => episode.noise);
    const { actions } = await agent.act(observations, { explore: false, noise });
    const result = await worlds.step(`at step ${step}`, actions);
    observations = result.observations;
    const lost = lostRows(result.infos);
    running.forEach((episode, i) => {
      if (lost?.[i]) {
        running[i] = begin(i, episode.episode);
        return;
      }
      episode.return += result.rewards[i] as number;
      episode.length += 1;
      episode.success = succeeded(episode.success, result.infos[i]?.success);
      if (result.terminated[i] || result.truncated[i]) {
        if (due[i]) finished.push(episode);
        due[i] = Math.max((due[i] as number) - 1, 0);
        running[i] = begin(i, episode.episode + 1);
      } else if (episode.length >= maxEpisodeSteps && due[i]) {
        throw new EnvironmentError(
          `evaluate: an episode did not end within ${maxEpisodeSteps} steps; wrap the environment in a time limit.`,
        );
      }
    });
  }
  return summarise(finished);
}

/** What came of one episode; `success` is left out where the environment does not say. */
export interface PlayedEpisode {
  return: number;
  length: number;
  success?: boolean;
}

function succeeded(before: boolean | undefined, said: unknown): boolean | undefined {
  if (said === undefined) return before;
  return before || Number(said) > 0;
}

export function summarise(episodes: readonly PlayedEpisode[]): Evaluation {
  const returns = episodes.map((episode) => episode.return);
  const lengths = episodes.map(({ length }) => length);
  const successes = episodes.flatMap(({ success }) => (success === undefined ? [] : [success]));
  const isKnown = episodes.length > 0 && successes.length === episodes.length;
  return {
    ...{ returns, lengths, mean: mean(returns), std: std(returns) },
    ...(isKnown && { successes, successRate: mean(successes.map(Number)) }),
  };
}
