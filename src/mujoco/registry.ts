import type { MujocoTask } from './task.js';

/** Every task by id; a task's file is loaded when it is first made. */
const TASKS = {
  'HalfCheetah-v4': async () => (await import('./gymnasium/halfCheetah.js')).halfCheetahV4,
  'HalfCheetah-v5': async () => (await import('./gymnasium/halfCheetah.js')).halfCheetahV5,
  'InvertedPendulum-v4': async () => (await import('./gymnasium/invertedPendulum.js')).invertedPendulumV4,
  'InvertedPendulum-v5': async () => (await import('./gymnasium/invertedPendulum.js')).invertedPendulumV5,
} satisfies Record<string, () => Promise<(options: never) => MujocoTask>>;

/** The id of a task: Gymnasium's, or `dm_control/<domain>-<task>`. */
export type MujocoId = keyof typeof TASKS;

/** The options of the task `Id`. */
export type MujocoTaskOptions<Id extends MujocoId> = NonNullable<
  Parameters<Awaited<ReturnType<(typeof TASKS)[Id]>>>[0]
>;

/** The ids of all tasks. */
export function mujocoIds(): MujocoId[] {
  return Object.keys(TASKS) as MujocoId[];
}

/** Loads the task `id`. */
export async function loadTask<Id extends MujocoId>(id: Id, options: MujocoTaskOptions<Id>): Promise<MujocoTask> {
  const task = (await TASKS[id]()) as (options: MujocoTaskOptions<Id>) => MujocoTask;
  return task(options);
}
