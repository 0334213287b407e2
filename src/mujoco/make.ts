import { TimeLimit } from '../envs/wrappers/timeLimit.js';
import { requireOneOf } from '../errors.js';
import { MujocoEnv } from './mujocoEnv.js';
import { loadTask, type MujocoId, type MujocoTaskOptions, mujocoIds } from './registry.js';

/** An environment made by {@link makeMujoco}; `unwrapped` is the task without its time limit. */
export type MujocoTaskEnv = TimeLimit<MujocoEnv>;

/** The options of the task `Id`, if it has any, and its time limit in control steps. */
export type MujocoOptions<Id extends MujocoId> = { maxEpisodeSteps?: number } & (MujocoTaskOptions<Id> extends Record<
  string,
  never
>
  ? unknown
  : MujocoTaskOptions<Id>);

/**
 * A task of the literature on real MuJoCo physics.
 *
 * @param id one of {@link mujocoIds}: Gymnasium's id (`'HalfCheetah-v5'`) or `'dm_control/walker-run'`
 * @param options the options of the original under the same names in camelCase, and `maxEpisodeSteps`, which replaces
 *   the task's own time limit (1000 for most; `Infinity` for none)
 * @throws ArgumentError for an unknown id or option
 * @throws MissingPackageError without `@mujoco/mujoco`
 *
 * @example
 * ```ts
 * const env = await makeMujoco('HalfCheetah-v5', { ctrlCostWeight: 0.05 });
 * const { observation } = await env.reset({ seed: 1 });
 * ```
 */
export async function makeMujoco<Id extends MujocoId>(id: Id, options?: MujocoOptions<Id>): Promise<MujocoTaskEnv> {
  requireOneOf('makeMujoco', 'id', id, mujocoIds());
  const { maxEpisodeSteps, ...taskOptions } = (options ?? {}) as { maxEpisodeSteps?: number };
  const task = await loadTask(id, taskOptions as unknown as MujocoTaskOptions<Id>);
  const env = await MujocoEnv.create(task);
  try {
    return new TimeLimit(env, maxEpisodeSteps ?? task.timeLimit ?? Infinity);
  } catch (error) {
    env.close();
    throw error;
  }
}
