import { body, capsule, hinge, type MjcfElement, slide } from '../mjcf.js';
import type { Simulation } from '../simulation.js';
import type { MujocoTask } from '../task.js';
import {
  clipped,
  type GymnasiumOptions,
  type GymnasiumVersion,
  isInside,
  sumOfSquares,
  uniformNoise,
} from './common.js';

type Range = readonly [number, number];

/** Options that Hopper and Walker2d share. */
export interface PlanarWalkerOptions extends GymnasiumOptions {
  /** Default 1. */
  forwardRewardWeight: number;
  /** Default 1e-3. */
  ctrlCostWeight: number;
  /** Paid on healthy steps; default 1. */
  healthyReward: number;
  /** Ends the episode with the first unhealthy step; default true. */
  terminateWhenUnhealthy: boolean;
  /** Open range of the torso's height. */
  healthyZRange: Range;
  /** Open range of the torso's pitch, rad. */
  healthyAngleRange: Range;
  /** Start noise on positions and velocities; default 5e-3. */
  resetNoiseScale: number;
  /** Leaves the root's x out of the observation; default true. */
  excludeCurrentPositionsFromObservation: boolean;
}

/** Move forward in a plane without falling. v4 pays the healthy reward on the terminating step too and has less info. */
export function planarWalker(
  name: string,
  version: GymnasiumVersion,
  options: PlanarWalkerOptions & { model: NonNullable<PlanarWalkerOptions['model']> },
  hasHealthyState: (simulation: Simulation) => boolean = () => true,
): MujocoTask {
  const firstPosition = options.excludeCurrentPositionsFromObservation ? 1 : 0;
  const isHealthy = (simulation: Simulation) =>
    isInside(simulation.qpos[1]!, options.healthyZRange) &&
    isInside(simulation.qpos[2]!, options.healthyAngleRange) &&
    hasHealthyState(simulation);
  const place = ({ qpos, model }: Simulation) => ({
    x_position: qpos[0],
    z_distance_from_origin: qpos[1]! - model.qpos0[1],
  });
  return {
    id: `${name}-v${version}`,
    model: options.model,
    frameSkip: options.frameSkip,
    timeLimit: 1000,
    initialize: uniformNoise(options.resetNoiseScale),
    observe: ({ qpos, qvel }) => ({ qpos: qpos.subarray(firstPosition), qvel: clipped(qvel, -10, 10) }),
    track: ({ qpos }) => [qpos[0]!],
    evaluate({ simulation, action, before, after, dt }) {
      const velocity = (after[0]! - before[0]!) / dt;
      const healthy = isHealthy(simulation);
      const forward = options.forwardRewardWeight * velocity;
      const survive = healthy || (version === 4 && options.terminateWhenUnhealthy) ? options.healthyReward : 0;
      const cost = options.ctrlCostWeight * sumOfSquares(action);
      const terms = { reward_forward: forward, reward_ctrl: -cost, reward_survive: survive };
      return {
        reward: forward + survive - cost,
        terminated: !healthy && options.terminateWhenUnhealthy,
        info:
          version === 4
            ? { x_position: after[0], x_velocity: velocity }
            : { ...place(simulation), x_velocity: velocity, ...terms },
      };
    },
    resetInfo: (simulation) => (version === 4 ? {} : place(simulation)),
  };
}

/** x, z and pitch of the torso, free of damping; z counts from the ground. */
export function planarRoot(): MjcfElement[] {
  const free = { limited: false, damping: 0, armature: 0 };
  return [
    slide('rootx', { axis: [1, 0, 0], pos: [0, 0, -1.25], ...free }),
    slide('rootz', { axis: [0, 0, 1], pos: [0, 0, -1.25], ref: 1.25, ...free }),
    hinge('rooty', { axis: [0, 1, 0], ...free }),
  ];
}

/** A torso between 1.05 and 1.45 above the ground. */
export function torsoCapsule(): MjcfElement {
  return capsule('torso_geom', { size: [0.05, (1.45 - 1.05) / 2], friction: 0.9 });
}

/**
 * Thigh (1.05 to 0.6 above the ground), leg (0.6 to 0.1) and foot.
 *
 * @param side put behind the names
 * @param foot how far its body lies before the ankle, the middle of its capsule behind that, and half its length
 */
export function planarLeg(
  side: string,
  foot: { offset: number; middle: number; halfLength: number; friction: number },
): MjcfElement {
  const bend = { axis: [0, -1, 0], range: [-150, 0] };
  return body(
    `thigh${side}`,
    { pos: [0, 0, 1.05 - 1.25] },
    hinge(`thigh${side}_joint`, bend),
    capsule(`thigh${side}_geom`, { pos: [0, 0, 0.825 - 1.05], size: [0.05, (1.05 - 0.6) / 2], friction: 0.9 }),
    body(
      `leg${side}`,
      { pos: [0, 0, 0.35 - 1.05] },
      hinge(`leg${side}_joint`, { ...bend, pos: [0, 0, 0.25] }),
      capsule(`leg${side}_geom`, { size: [0.04, 0.25], friction: 0.9 }),
      body(
        `foot${side}`,
        { pos: [foot.offset, 0, -0.35] },
        hinge(`foot${side}_joint`, { axis: [0, -1, 0], range: [-45, 45], pos: [-foot.offset, 0, 0.1] }),
        capsule(`foot${side}_geom`, {
          pos: [-foot.middle, 0, 0.1],
          euler: [0, -90, 0],
          size: [0.06, foot.halfLength],
          friction: foot.friction,
        }),
      ),
    ),
  );
}
