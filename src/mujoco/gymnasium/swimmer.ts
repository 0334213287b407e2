import { body, capsule, hinge, mjcf, motor, plane, slide } from '../mjcf.js';
import type { Simulation } from '../simulation.js';
import type { MujocoTask } from '../task.js';
import {
  type GymnasiumOptions,
  type GymnasiumVersion,
  readOptions,
  sumOfSquares,
  uniformNoise,
  type V4Options,
} from './common.js';

export interface SwimmerOptions extends GymnasiumOptions {
  /** Default 1. */
  forwardRewardWeight: number;
  /** Default 1e-4. */
  ctrlCostWeight: number;
  /** Start noise on positions and velocities; default 0.1. */
  resetNoiseScale: number;
  /** Leaves x and y out of the observation; default true. */
  excludeCurrentPositionsFromObservation: boolean;
}

const DEFAULTS: SwimmerOptions = {
  frameSkip: 4,
  model: undefined,
  forwardRewardWeight: 1,
  ctrlCostWeight: 1e-4,
  resetNoiseScale: 0.1,
  excludeCurrentPositionsFromObservation: true,
};

export const swimmerV5 = (options: Partial<SwimmerOptions> = {}) => swimmer(5, options);
export const swimmerV4 = (options: V4Options<SwimmerOptions> = {}) => swimmer(4, options);

/** Swim forward with three links in a viscous medium; never terminates. v4 differs in the names of the info only. */
function swimmer(version: GymnasiumVersion, options: Partial<SwimmerOptions>): MujocoTask {
  const chosen = readOptions('Swimmer', version, DEFAULTS, options);
  const firstPosition = chosen.excludeCurrentPositionsFromObservation ? 2 : 0;
  const place = ({ qpos: [x, y] }: Simulation) => ({
    x_position: x,
    y_position: y,
    distance_from_origin: Math.hypot(x!, y!),
  });
  return {
    id: `Swimmer-v${version}`,
    model: chosen.model ?? model(),
    frameSkip: chosen.frameSkip,
    timeLimit: 1000,
    view: { from: 'top', span: 3 },
    initialize: uniformNoise(chosen.resetNoiseScale),
    observe: ({ qpos, qvel }) => ({ qpos: qpos.subarray(firstPosition), qvel }),
    track: ({ qpos }) => [qpos[0]!, qpos[1]!],
    evaluate({ simulation, action, before, after, dt }) {
      const velocity = { x_velocity: (after[0]! - before[0]!) / dt, y_velocity: (after[1]! - before[1]!) / dt };
      const forward = chosen.forwardRewardWeight * velocity.x_velocity;
      const cost = chosen.ctrlCostWeight * sumOfSquares(action);
      const terms = version === 4 ? { reward_fwd: forward, forward_reward: forward } : { reward_forward: forward };
      return { reward: forward - cost, info: { ...place(simulation), ...velocity, ...terms, reward_ctrl: -cost } };
    },
    resetInfo: (simulation) => (version === 4 ? {} : place(simulation)),
  };
}

const model = () => {
  const turn = { axis: [0, 0, 1] };
  const bend = { ...turn, limited: true, range: [-100, 100] };
  const link = { fromto: [0, 0, 0, -1, 0, 0], size: 0.1 };
  return mjcf('swimmer', {
    option: { density: 4000, viscosity: 0.1, integrator: 'RK4', timestep: 0.01 },
    defaults: {
      joint: { armature: 0.1 },
      geom: { contype: 0, conaffinity: 0, condim: 1 },
      motor: { gear: 150, ctrllimited: true, ctrlrange: [-1, 1] },
    },
    world: [
      plane('floor', { pos: [0, 0, -0.1], size: [40, 40, 0.1], condim: 3 }),
      body(
        'torso',
        {},
        slide('slider1', { axis: [1, 0, 0] }),
        slide('slider2', { axis: [0, 1, 0] }),
        hinge('free_body_rot', turn),
        capsule('', { fromto: [1.5, 0, 0, 0.5, 0, 0], size: 0.1 }),
        body(
          'mid',
          { pos: [0.5, 0, 0] },
          hinge('motor1_rot', bend),
          capsule('', link),
          body('back', { pos: [-1, 0, 0] }, hinge('motor2_rot', bend), capsule('', link)),
        ),
      ),
    ],
    actuators: [motor('', { joint: 'motor1_rot' }), motor('', { joint: 'motor2_rot' })],
  });
};
