import { body, capsule, hinge, joint, type MjcfElement, mjcf, motor, plane, sphere } from '../mjcf.js';
import type { Simulation } from '../simulation.js';
import type { MujocoTask } from '../task.js';
import {
  clipped,
  type GymnasiumOptions,
  type GymnasiumVersion,
  mixedNoise,
  readOptions,
  sumOfSquares,
  type V4Options,
} from './common.js';

export interface AntOptions extends GymnasiumOptions {
  /** Default 1. */
  forwardRewardWeight: number;
  /** Default 0.5. */
  ctrlCostWeight: number;
  /** Default 5e-4. */
  contactCostWeight: number;
  /** Paid on healthy steps; default 1. */
  healthyReward: number;
  /** Body whose motion counts, by name or number; default 1, the torso. */
  mainBody: number | string;
  /** Ends the episode with the first unhealthy step; default true. */
  terminateWhenUnhealthy: boolean;
  /** Closed range of the torso's height; default [0.2, 1]. */
  healthyZRange: readonly [number, number];
  /** Contact forces are clipped to this range; default [-1, 1]. */
  contactForceRange: readonly [number, number];
  /** Start noise on positions (uniform) and velocities (standard deviation); default 0.1. */
  resetNoiseScale: number;
  /** Leaves x and y out of the observation; default true. */
  excludeCurrentPositionsFromObservation: boolean;
  /** Shows the contact forces of all bodies but the world; default true. */
  includeCfrcExtInObservation: boolean;
}

/** Options of Ant-v4. */
export interface AntV4Options extends V4Options<AntOptions, V5Only> {
  /** Shows the contact forces and makes them cost; default false. */
  useContactForces?: boolean;
}

type V5Only = 'forwardRewardWeight' | 'mainBody' | 'includeCfrcExtInObservation';
type AllOptions = AntOptions & { useContactForces: boolean };

const DEFAULTS: AntOptions = {
  frameSkip: 5,
  model: undefined,
  forwardRewardWeight: 1,
  ctrlCostWeight: 0.5,
  contactCostWeight: 5e-4,
  healthyReward: 1,
  mainBody: 1,
  terminateWhenUnhealthy: true,
  healthyZRange: [0.2, 1],
  contactForceRange: [-1, 1],
  resetNoiseScale: 0.1,
  excludeCurrentPositionsFromObservation: true,
  includeCfrcExtInObservation: true,
};

export const antV5 = ({ mainBody = DEFAULTS.mainBody, ...options }: Partial<AntOptions> = {}) =>
  ant(5, { ...readOptions('Ant', 5, DEFAULTS, options), mainBody, useContactForces: true });

export const antV4 = (options: AntV4Options = {}) => {
  const fixed = ['forwardRewardWeight', 'mainBody', 'includeCfrcExtInObservation'] as const;
  const chosen = readOptions<AllOptions>('Ant', 4, { ...DEFAULTS, useContactForces: false }, options, fixed);
  return ant(4, { ...chosen, includeCfrcExtInObservation: chosen.useContactForces });
};

/**
 * Run forward on four legs. v4 leaves contact forces out unless asked, pays the healthy reward on the terminating
 * step too, and takes the positions in the info from the torso instead of `qpos`.
 */
function ant(version: GymnasiumVersion, options: AllOptions): MujocoTask {
  const firstPosition = options.excludeCurrentPositionsFromObservation ? 2 : 0;
  const firstBody = version === 4 ? 0 : 1;
  const mainBody = (simulation: Simulation) =>
    typeof options.mainBody === 'string' ? simulation.id('body', options.mainBody) : options.mainBody;
  const contactForces = (simulation: Simulation) => clipped(simulation.array('cfrc_ext'), ...options.contactForceRange);
  return {
    id: `Ant-v${version}`,
    model: options.model ?? model(),
    frameSkip: options.frameSkip,
    timeLimit: 1000,
    view: { from: 'diagonal', span: 2.4 },
    initialize: mixedNoise(options.resetNoiseScale),
    observe(simulation) {
      const { qpos, qvel } = simulation;
      const state = { qpos: qpos.subarray(firstPosition), qvel };
      if (!options.includeCfrcExtInObservation) return state;
      return { ...state, cfrc_ext: contactForces(simulation).subarray(6 * firstBody) };
    },
    track(simulation) {
      const start = 3 * mainBody(simulation);
      return Array.from(simulation.array('xpos').subarray(start, start + 2));
    },
    evaluate({ simulation, action, before, after, dt }) {
      const velocity = { x_velocity: (after[0]! - before[0]!) / dt, y_velocity: (after[1]! - before[1]!) / dt };
      const healthy = isHealthy(simulation, options.healthyZRange);
      const forward = options.forwardRewardWeight * velocity.x_velocity;
      const survive = healthy || (version === 4 && options.terminateWhenUnhealthy) ? options.healthyReward : 0;
      const control = options.ctrlCostWeight * sumOfSquares(action);
      const contact = options.useContactForces
        ? options.contactCostWeight * sumOfSquares(contactForces(simulation))
        : 0;
      const terms = { reward_forward: forward, reward_ctrl: -control, reward_survive: survive };
      const overwritten = options.useContactForces ? { reward_ctrl: -contact } : {};
      return {
        reward: forward + survive - (control + contact),
        terminated: !healthy && options.terminateWhenUnhealthy,
        info:
          version === 4
            ? { ...terms, ...velocity, ...place(after), forward_reward: forward, ...overwritten }
            : { ...terms, ...velocity, ...place(simulation.qpos), reward_contact: -contact },
      };
    },
    resetInfo: ({ qpos }) => (version === 4 ? {} : place(qpos)),
  };
}

function place([x, y]: Iterable<number>) {
  return { x_position: x, y_position: y, distance_from_origin: Math.hypot(x!, y!) };
}

function isHealthy({ qpos, qvel }: Simulation, [low, high]: readonly [number, number]): boolean {
  const finite = qpos.every(Number.isFinite) && qvel.every(Number.isFinite);
  return finite && low <= qpos[2]! && qpos[2]! <= high;
}

/** A leg that points to the corner `[x, y]`, each 1 or -1: a rigid root, a hip and an ankle. */
function leg(number: number, name: string, geoms: [string, string], [x, y]: [number, number]): MjcfElement {
  const limb = (geom: string, length: number) =>
    capsule(`${geom}_geom`, { fromto: [0, 0, 0, length * x, length * y, 0], size: 0.08 });
  return body(
    name,
    {},
    limb(`aux_${number}`, 0.2),
    body(
      `aux_${number}`,
      { pos: [0.2 * x, 0.2 * y, 0] },
      hinge(`hip_${number}`, { axis: [0, 0, 1], range: [-30, 30] }),
      limb(geoms[0], 0.2),
      body(
        '',
        { pos: [0.2 * x, 0.2 * y, 0] },
        hinge(`ankle_${number}`, { axis: [-x * y, 1, 0], range: x > 0 ? [30, 70] : [-70, -30] }),
        limb(geoms[1], 0.4),
      ),
    ),
  );
}

const model = () =>
  mjcf('ant', {
    compiler: { inertiafromgeom: true },
    option: { integrator: 'RK4', timestep: 0.01 },
    defaults: {
      joint: { armature: 1, damping: 1, limited: true },
      geom: { conaffinity: 0, density: 5, friction: [1, 0.5, 0.5], margin: 0.01 },
      motor: { gear: 150, ctrllimited: true, ctrlrange: [-1, 1] },
    },
    world: [
      plane('floor', { size: [40, 40, 40], conaffinity: 1 }),
      body(
        'torso',
        { pos: [0, 0, 0.75] },
        joint('root', { type: 'free', armature: 0, damping: 0, limited: false, margin: 0.01 }),
        sphere('torso_geom', { size: 0.25 }),
        leg(1, 'front_left_leg', ['left_leg', 'left_ankle'], [1, 1]),
        leg(2, 'front_right_leg', ['right_leg', 'right_ankle'], [-1, 1]),
        leg(3, 'back_leg', ['back_leg', 'third_ankle'], [-1, -1]),
        leg(4, 'right_back_leg', ['rightback_leg', 'fourth_ankle'], [1, -1]),
      ),
    ],
    actuators: [4, 1, 2, 3].flatMap((i) => [motor('', { joint: `hip_${i}` }), motor('', { joint: `ankle_${i}` })]),
  });
