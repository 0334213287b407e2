import type { MujocoTask } from './task.js';

/** Every task by id; a task's file is loaded when it is first made. */
const TASKS = {
  'Ant-v4': async () => (await import('./gymnasium/ant.js')).antV4,
  'Ant-v5': async () => (await import('./gymnasium/ant.js')).antV5,
  'HalfCheetah-v4': async () => (await import('./gymnasium/halfCheetah.js')).halfCheetahV4,
  'HalfCheetah-v5': async () => (await import('./gymnasium/halfCheetah.js')).halfCheetahV5,
  'Hopper-v4': async () => (await import('./gymnasium/hopper.js')).hopperV4,
  'Hopper-v5': async () => (await import('./gymnasium/hopper.js')).hopperV5,
  'Humanoid-v4': async () => (await import('./gymnasium/humanoid.js')).humanoidV4,
  'Humanoid-v5': async () => (await import('./gymnasium/humanoid.js')).humanoidV5,
  'HumanoidStandup-v4': async () => (await import('./gymnasium/humanoidStandup.js')).humanoidStandupV4,
  'HumanoidStandup-v5': async () => (await import('./gymnasium/humanoidStandup.js')).humanoidStandupV5,
  'InvertedDoublePendulum-v4': async () =>
    (await import('./gymnasium/invertedDoublePendulum.js')).invertedDoublePendulumV4,
  'InvertedDoublePendulum-v5': async () =>
    (await import('./gymnasium/invertedDoublePendulum.js')).invertedDoublePendulumV5,
  'InvertedPendulum-v4': async () => (await import('./gymnasium/invertedPendulum.js')).invertedPendulumV4,
  'InvertedPendulum-v5': async () => (await import('./gymnasium/invertedPendulum.js')).invertedPendulumV5,
  'Pusher-v4': async () => (await import('./gymnasium/pusher.js')).pusherV4,
  'Pusher-v5': async () => (await import('./gymnasium/pusher.js')).pusherV5,
  'Reacher-v4': async () => (await import('./gymnasium/reacher.js')).reacherV4,
  'Reacher-v5': async () => (await import('./gymnasium/reacher.js')).reacherV5,
  'Swimmer-v4': async () => (await import('./gymnasium/swimmer.js')).swimmerV4,
  'Swimmer-v5': async () => (await import('./gymnasium/swimmer.js')).swimmerV5,
  'Walker2d-v4': async () => (await import('./gymnasium/walker2d.js')).walker2dV4,
  'Walker2d-v5': async () => (await import('./gymnasium/walker2d.js')).walker2dV5,
  'dm_control/acrobot-swingup': async () => (await import('./suite/acrobot.js')).acrobotSwingup,
  'dm_control/acrobot-swingup_sparse': async () => (await import('./suite/acrobot.js')).acrobotSwingupSparse,
  'dm_control/ball_in_cup-catch': async () => (await import('./suite/ballInCup.js')).ballInCupCatch,
  'dm_control/cartpole-balance': async () => (await import('./suite/cartpole.js')).cartpoleBalance,
  'dm_control/cartpole-balance_sparse': async () => (await import('./suite/cartpole.js')).cartpoleBalanceSparse,
  'dm_control/cartpole-swingup': async () => (await import('./suite/cartpole.js')).cartpoleSwingup,
  'dm_control/cartpole-swingup_sparse': async () => (await import('./suite/cartpole.js')).cartpoleSwingupSparse,
  'dm_control/cartpole-three_poles': async () => (await import('./suite/cartpole.js')).cartpoleThreePoles,
  'dm_control/cartpole-two_poles': async () => (await import('./suite/cartpole.js')).cartpoleTwoPoles,
  'dm_control/cheetah-run': async () => (await import('./suite/cheetah.js')).cheetahRun,
  'dm_control/dog-run': async () => (await import('./suite/dog.js')).dogRun,
  'dm_control/dog-stand': async () => (await import('./suite/dog.js')).dogStand,
  'dm_control/dog-trot': async () => (await import('./suite/dog.js')).dogTrot,
  'dm_control/dog-walk': async () => (await import('./suite/dog.js')).dogWalk,
  'dm_control/finger-spin': async () => (await import('./suite/finger.js')).fingerSpin,
  'dm_control/finger-turn_easy': async () => (await import('./suite/finger.js')).fingerTurnEasy,
  'dm_control/finger-turn_hard': async () => (await import('./suite/finger.js')).fingerTurnHard,
  'dm_control/fish-swim': async () => (await import('./suite/fish.js')).fishSwim,
  'dm_control/fish-upright': async () => (await import('./suite/fish.js')).fishUpright,
  'dm_control/hopper-hop': async () => (await import('./suite/hopper.js')).hopperHop,
  'dm_control/hopper-stand': async () => (await import('./suite/hopper.js')).hopperStand,
  'dm_control/humanoid-run': async () => (await import('./suite/humanoid.js')).humanoidRun,
  'dm_control/humanoid-run_pure_state': async () => (await import('./suite/humanoid.js')).humanoidRunPureState,
  'dm_control/humanoid-stand': async () => (await import('./suite/humanoid.js')).humanoidStand,
  'dm_control/humanoid-walk': async () => (await import('./suite/humanoid.js')).humanoidWalk,
  'dm_control/pendulum-swingup': async () => (await import('./suite/pendulum.js')).pendulumSwingup,
  'dm_control/point_mass-easy': async () => (await import('./suite/pointMass.js')).pointMassEasy,
  'dm_control/point_mass-hard': async () => (await import('./suite/pointMass.js')).pointMassHard,
  'dm_control/quadruped-run': async () => (await import('./suite/quadruped.js')).quadrupedRun,
  'dm_control/quadruped-walk': async () => (await import('./suite/quadruped.js')).quadrupedWalk,
  'dm_control/reacher-easy': async () => (await import('./suite/reacher.js')).reacherEasy,
  'dm_control/reacher-hard': async () => (await import('./suite/reacher.js')).reacherHard,
  'dm_control/swimmer-swimmer15': async () => (await import('./suite/swimmer.js')).swimmer15,
  'dm_control/swimmer-swimmer6': async () => (await import('./suite/swimmer.js')).swimmer6,
  'dm_control/walker-run': async () => (await import('./suite/walker.js')).walkerRun,
  'dm_control/walker-stand': async () => (await import('./suite/walker.js')).walkerStand,
  'dm_control/walker-walk': async () => (await import('./suite/walker.js')).walkerWalk,
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
