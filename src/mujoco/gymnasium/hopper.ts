import { body, mjcf, motor, plane } from '../mjcf.js';
import { type GymnasiumVersion, isInside, readOptions, type V4Options } from './common.js';
import { type PlanarWalkerOptions, planarLeg, planarRoot, planarWalker, torsoCapsule } from './planarWalker.js';

export interface HopperOptions extends PlanarWalkerOptions {
  /** Open range of every position and velocity but x and z; default [-100, 100]. */
  healthyStateRange: readonly [number, number];
}

const DEFAULTS: HopperOptions = {
  frameSkip: 4,
  model: undefined,
  forwardRewardWeight: 1,
  ctrlCostWeight: 1e-3,
  healthyReward: 1,
  terminateWhenUnhealthy: true,
  healthyStateRange: [-100, 100],
  healthyZRange: [0.7, Infinity],
  healthyAngleRange: [-0.2, 0.2],
  resetNoiseScale: 5e-3,
  excludeCurrentPositionsFromObservation: true,
};

export const hopperV5 = (options: Partial<HopperOptions> = {}) => hopper(5, options);
export const hopperV4 = (options: V4Options<HopperOptions> = {}) => hopper(4, options);

/** Hop forward on one leg. */
function hopper(version: GymnasiumVersion, options: Partial<HopperOptions>) {
  const chosen = readOptions('Hopper', version, DEFAULTS, options);
  const isBounded = (value: number) => isInside(value, chosen.healthyStateRange);
  return planarWalker(
    'Hopper',
    version,
    { ...chosen, model: chosen.model ?? model() },
    ({ qpos, qvel }) => qpos.subarray(2).every(isBounded) && qvel.every(isBounded),
  );
}

const model = () =>
  mjcf('hopper', {
    option: { integrator: 'RK4', timestep: 0.002 },
    defaults: {
      joint: { armature: 1, damping: 1, limited: true },
      geom: { condim: 1, margin: 0.001, solimp: [0.8, 0.8, 0.01] },
      motor: { gear: 200, ctrllimited: true, ctrlrange: [-1, 1] },
    },
    world: [
      plane('floor', { size: [20, 20, 0.125], condim: 3 }),
      body(
        'torso',
        { pos: [0, 0, 1.25] },
        ...planarRoot(),
        torsoCapsule(),
        planarLeg('', { offset: 0.13, middle: 0.065, halfLength: 0.195, friction: 2 }),
      ),
    ],
    actuators: ['thigh', 'leg', 'foot'].map((part) => motor('', { joint: `${part}_joint` })),
  });
