import { body, mjcf, motor, plane } from '../mjcf.js';
import { type GymnasiumVersion, readOptions, type V4Options } from './common.js';
import { type PlanarWalkerOptions, planarLeg, planarRoot, planarWalker, torsoCapsule } from './planarWalker.js';

export type Walker2dOptions = PlanarWalkerOptions;

const DEFAULTS: Walker2dOptions = {
  frameSkip: 4,
  model: undefined,
  forwardRewardWeight: 1,
  ctrlCostWeight: 1e-3,
  healthyReward: 1,
  terminateWhenUnhealthy: true,
  healthyZRange: [0.8, 2],
  healthyAngleRange: [-1, 1],
  resetNoiseScale: 5e-3,
  excludeCurrentPositionsFromObservation: true,
};

export const walker2dV5 = (options: Partial<Walker2dOptions> = {}) => walker2d(5, options);
export const walker2dV4 = (options: V4Options<Walker2dOptions> = {}) => walker2d(4, options);

/** Walk forward on two legs. The right foot of v4 has less friction than the left one. */
function walker2d(version: GymnasiumVersion, options: Partial<Walker2dOptions>) {
  const chosen = readOptions('Walker2d', version, DEFAULTS, options);
  return planarWalker('Walker2d', version, { ...chosen, model: chosen.model ?? model(version === 4 ? 0.9 : 1.9) });
}

const model = (rightFootFriction: number) => {
  const foot = { offset: 0.2, middle: 0.1, halfLength: 0.1 };
  return mjcf('walker2d', {
    option: { integrator: 'RK4', timestep: 0.002 },
    defaults: {
      joint: { armature: 0.01, damping: 0.1, limited: true },
      geom: { conaffinity: 0, friction: [0.7, 0.1, 0.1] },
      motor: { gear: 100, ctrllimited: true, ctrlrange: [-1, 1] },
    },
    world: [
      plane('floor', { size: [40, 40, 40], conaffinity: 1 }),
      body(
        'torso',
        { pos: [0, 0, 1.25] },
        ...planarRoot(),
        torsoCapsule(),
        planarLeg('', { ...foot, friction: rightFootFriction }),
        planarLeg('_left', { ...foot, friction: 1.9 }),
      ),
    ],
    actuators: ['', '_left'].flatMap((side) =>
      ['thigh', 'leg', 'foot'].map((part) => motor('', { joint: `${part}${side}_joint` })),
    ),
  });
};
