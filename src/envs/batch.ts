import { EnvironmentError, requireFinite, requireLength, show } from '../errors.js';
import { Rng } from '../rng/rng.js';
import { settled } from '../settled.js';
import type { MaybePromise } from '../state.js';
import type { Env, Info } from './env.js';
import { andThen } from './maybePromise.js';
import { receiveInfo, receiveObservation, receiveStep } from './received.js';

/** Arrays that several environments write a step to; see {@link VectorStep} for what they hold. */
export interface StepArrays {
  observations: Float32Array;
  nextObservations: Float32Array;
  rewards: Float32Array;
  terminated: Uint8Array;
  truncated: Uint8Array;
}

/** The seed of environment `index` of a vector environment that was given `seed`. */
export function environmentSeed(seed: number, index: number): number {
  return Rng.fromSeed(seed).split(index).uint32();
}

/** Throws unless `actions` is a finite vector of `numEnvs * actionSize` numbers. */
export function requireActions(where: string, actions: Float32Array, numEnvs: number, actionSize: number): void {
  requireLength(where, 'actions', actions, numEnvs * actionSize, `${numEnvs} environments with ${actionSize} each`);
  requireFinite(where, 'actions', actions);
}

/**
 * Resets all environments and writes their observations to `into`.
 *
 * @param first index of the first environment within the whole vector environment
 */
export function resetBatch(
  envs: readonly Env[],
  into: Float32Array,
  first: number,
  seed?: number,
): MaybePromise<Info[]> {
  return all(envs, first, (env, i) => {
    const options = seed === undefined ? undefined : { seed: environmentSeed(seed, first + i) };
    return andThen(env.reset(options), (result) => {
      into.set(receiveObservation(result, env), i * env.observationSpace.size);
      return receiveInfo(result.info);
    });
  });
}

/** Steps all environments, resets those whose episode ended, and writes everything to `into`. */
export function stepBatch(
  envs: readonly Env[],
  actions: Float32Array,
  into: StepArrays,
  first: number,
): MaybePromise<Info[]> {
  return all(envs, first, (env, i) => {
    const { size } = env.actionSpace;
    const row = i * env.observationSpace.size;
    return andThen(env.step(actions.slice(i * size, (i + 1) * size)), (given) => {
      const { observation, reward, terminated, truncated, info } = receiveStep(given, env);
      into.nextObservations.set(observation, row);
      into.rewards[i] = reward;
      into.terminated[i] = Number(terminated);
      into.truncated[i] = Number(truncated);
      return andThen(terminated || truncated ? env.reset() : { observation, info }, (next) => {
        into.observations.set(receiveObservation(next, env), row);
        return info;
      });
    });
  });
}

/** `run` for every environment; waits only if one of them does, and for all of them before it throws. */
function all<T>(envs: readonly Env[], first: number, run: (env: Env, i: number) => MaybePromise<T>): MaybePromise<T[]> {
  const named = (i: number) => (cause: unknown) => {
    const what = cause instanceof Error ? cause.message : show(cause);
    throw new EnvironmentError(`environment ${first + i} (${envs[i]?.id ?? 'unnamed'}): ${what}`, { cause });
  };
  const results = envs.map((env, i) => {
    try {
      const result = run(env, i);
      return result instanceof Promise ? result.catch(named(i)) : result;
    } catch (error) {
      return named(i)(error);
    }
  });
  return results.some((result) => result instanceof Promise) ? settled(results) : (results as T[]);
}
