import { type Env, TimeLimit } from 'diffrl';
import { describeScene, Hand, MujocoEnv, type MujocoTask, makeMujoco, readPose, type Simulation } from 'diffrl/mujoco';
import type { Robot, RobotReward } from '../settings.js';
import { ActionBounds } from './actionBounds.js';
import type { Pull, World } from './world.js';

export async function mujocoWorld(id: 'InvertedPendulum-v5' | 'HalfCheetah-v5' | 'Reacher-v5'): Promise<World> {
  return worldOf(await makeMujoco(id));
}

/** A world around the visitor's own model. */
export async function robotWorld(robot: Robot): Promise<World> {
  const env = await MujocoEnv.create(taskOf(robot));
  return worldOf(new TimeLimit(new ActionBounds(env), 1000));
}

function worldOf(env: Env): World {
  const hand = new Hand(env);
  return {
    env,
    scene: describeScene(env),
    pose: () => readPose(env),
    pull: (pull: Pull) => {
      if (pull.kind === 'grab') hand.grab(pull.body, pull.point);
      else if (pull.kind === 'move') hand.moveTo(pull.target);
      else hand.release();
    },
    get held() {
      return hand.held;
    },
  };
}

/** Control steps of about 1/40 s, joint positions and velocities without the place in the plane, the chosen reward. */
function taskOf({ name, xml, assets, reward }: Robot): MujocoTask {
  const timestep = Number(/timestep\s*=\s*"([^"]+)"/.exec(xml)?.[1] ?? 0.002);
  const { track, score } = REWARDED[reward];
  return {
    id: name,
    model: { xml, assets },
    frameSkip: Math.max(1, Math.round(0.025 / timestep)),
    initialize: (simulation, rng) => {
      const { qvel } = simulation;
      for (let i = 0; i < qvel.length; i++) qvel[i] = rng.normal(0, 0.05);
    },
    observe: ({ qpos, qvel, model }) => ({
      positions: qpos.slice(model.jnt_type[0] === FREE ? 2 : 0),
      velocities: qvel.map((value) => Math.min(Math.max(value, -10), 10)),
    }),
    track,
    evaluate: ({ before, after, dt, action }) => {
      const effort = action.reduce((sum, value) => sum + value ** 2, 0);
      return { reward: score(before, after, dt) - (0.02 * effort) / action.length };
    },
  };
}

/** MuJoCo's number for a joint that leaves a body free. */
const FREE = 0;

type Score = (before: readonly number[], after: readonly number[], dt: number) => number;

const centre = (simulation: Simulation) => Array.from(simulation.array('subtree_com').subarray(0, 3));
const heading = (simulation: Simulation) => {
  const [xx, , , yx] = simulation.array('xmat').subarray(9);
  return [Math.atan2(yx!, xx!)];
};

const REWARDED: Record<RobotReward, { track(simulation: Simulation): number[]; score: Score }> = {
  forward: { track: centre, score: (before, after, dt) => (after[0]! - before[0]!) / dt },
  upright: { track: centre, score: (_, after) => after[2]! },
  jump: { track: centre, score: (before, after, dt) => after[2]! + Math.max(after[2]! - before[2]!, 0) / dt },
  spin: {
    track: heading,
    score: (before, after, dt) => Math.sin(after[0]! - before[0]!) / dt,
  },
};
