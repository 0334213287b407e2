import { body, capsule, hinge, type MjcfElement, mjcf, motor, plane, slide } from '../mjcf.js';
import type { MujocoTask } from '../task.js';
import { type GymnasiumOptions, type GymnasiumVersion, mixedNoise, readOptions, sumOfSquares } from './common.js';

export interface HalfCheetahOptions extends GymnasiumOptions {
  /** Default 1. */
  forwardRewardWeight: number;
  /** Default 0.1. */
  ctrlCostWeight: number;
  /** Start noise on positions (uniform) and velocities (standard deviation); default 0.1. */
  resetNoiseScale: number;
  /** Leaves the root's x out of the observation; default true. */
  excludeCurrentPositionsFromObservation: boolean;
}

const DEFAULTS: HalfCheetahOptions = {
  frameSkip: 5,
  model: undefined,
  forwardRewardWeight: 1,
  ctrlCostWeight: 0.1,
  resetNoiseScale: 0.1,
  excludeCurrentPositionsFromObservation: true,
};

export const halfCheetahV5 = (options: Partial<HalfCheetahOptions> = {}) => halfCheetah(5, options);
export const halfCheetahV4 = (options: Partial<Omit<HalfCheetahOptions, keyof GymnasiumOptions>> = {}) =>
  halfCheetah(4, options);

/** Run forward; never terminates. v4 and v5 differ in the names of the info only. */
function halfCheetah(version: GymnasiumVersion, options: Partial<HalfCheetahOptions>): MujocoTask {
  const chosen = readOptions('HalfCheetah', version, DEFAULTS, options);
  const firstPosition = chosen.excludeCurrentPositionsFromObservation ? 1 : 0;
  return {
    id: `HalfCheetah-v${version}`,
    model: chosen.model ?? model(),
    frameSkip: chosen.frameSkip,
    timeLimit: 1000,
    initialize: mixedNoise(chosen.resetNoiseScale),
    observe: ({ qpos, qvel }) => ({ qpos: qpos.subarray(firstPosition), qvel }),
    track: ({ qpos }) => [qpos[0]!],
    evaluate({ action, before, after, dt }) {
      const velocity = (after[0]! - before[0]!) / dt;
      const forward = chosen.forwardRewardWeight * velocity;
      const cost = chosen.ctrlCostWeight * sumOfSquares(action);
      const info = { x_position: after[0], x_velocity: velocity, reward_ctrl: -cost };
      const reward = forward - cost;
      return { reward, info: { ...info, [version === 4 ? 'reward_run' : 'reward_forward']: forward } };
    },
    resetInfo: ({ qpos }) => (version === 4 ? {} : { x_position: qpos[0] }),
  };
}

const root = { limited: false, damping: 0, armature: 0, stiffness: 0 };

/** A part of a leg: a capsule turned by `angle` about y, on a sprung hinge. */
function part(
  name: string,
  pos: number[],
  joint: { range: number[]; stiffness: number; damping: number },
  shape: { pos: number[]; angle: number; halfLength: number },
  ...next: MjcfElement[]
): MjcfElement {
  return body(
    name,
    { pos },
    hinge(name, { axis: [0, 1, 0], ...joint }),
    capsule(name, { pos: shape.pos, axisangle: [0, 1, 0, shape.angle], size: [0.046, shape.halfLength] }),
    ...next,
  );
}

const model = () =>
  mjcf('half cheetah', {
    compiler: { angle: 'radian', inertiafromgeom: true, settotalmass: 14 },
    option: { timestep: 0.01 },
    defaults: {
      joint: { armature: 0.1, damping: 0.01, limited: true, solimplimit: [0, 0.8, 0.03], stiffness: 8 },
      geom: { contype: 1, conaffinity: 0, friction: [0.4, 0.1, 0.1], solimp: [0, 0.8, 0.01] },
      motor: { ctrllimited: true, ctrlrange: [-1, 1] },
    },
    world: [
      plane('floor', { size: [40, 40, 40], conaffinity: 1 }),
      body(
        'torso',
        { pos: [0, 0, 0.7] },
        slide('rootx', { axis: [1, 0, 0], ...root }),
        slide('rootz', { axis: [0, 0, 1], ...root }),
        hinge('rooty', { axis: [0, 1, 0], ...root }),
        capsule('torso', { fromto: [-0.5, 0, 0, 0.5, 0, 0], size: 0.046 }),
        capsule('head', { pos: [0.6, 0, 0.1], axisangle: [0, 1, 0, 0.87], size: [0.046, 0.15] }),
        part(
          'bthigh',
          [-0.5, 0, 0],
          { range: [-0.52, 1.05], stiffness: 240, damping: 6 },
          { pos: [0.1, 0, -0.13], angle: -3.8, halfLength: 0.145 },
          part(
            'bshin',
            [0.16, 0, -0.25],
            { range: [-0.785, 0.785], stiffness: 180, damping: 4.5 },
            { pos: [-0.14, 0, -0.07], angle: -2.03, halfLength: 0.15 },
            part(
              'bfoot',
              [-0.28, 0, -0.14],
              { range: [-0.4, 0.785], stiffness: 120, damping: 3 },
              { pos: [0.03, 0, -0.097], angle: -0.27, halfLength: 0.094 },
            ),
          ),
        ),
        part(
          'fthigh',
          [0.5, 0, 0],
          { range: [-1, 0.7], stiffness: 180, damping: 4.5 },
          { pos: [-0.07, 0, -0.12], angle: 0.52, halfLength: 0.133 },
          part(
            'fshin',
            [-0.14, 0, -0.24],
            { range: [-1.2, 0.87], stiffness: 120, damping: 3 },
            { pos: [0.065, 0, -0.09], angle: -0.6, halfLength: 0.106 },
            part(
              'ffoot',
              [0.13, 0, -0.18],
              { range: [-0.5, 0.5], stiffness: 60, damping: 1.5 },
              { pos: [0.045, 0, -0.07], angle: -0.6, halfLength: 0.07 },
            ),
          ),
        ),
      ),
    ],
    actuators: Object.entries({ bthigh: 120, bshin: 90, bfoot: 60, fthigh: 120, fshin: 60, ffoot: 30 }).map(
      ([name, gear]) => motor(name, { joint: name, gear }),
    ),
  });
