import { body, capsule, fixedTendon, hinge, joint, type MjcfElement, mjcf, motor, plane, sphere } from '../mjcf.js';
import type { Simulation } from '../simulation.js';
import type { MujocoTask } from '../task.js';
import {
  clip,
  type GymnasiumOptions,
  type GymnasiumVersion,
  isInside,
  readOptions,
  sumOfSquares,
  uniformNoise,
  type V4Options,
} from './common.js';

export interface HumanoidOptions extends GymnasiumOptions {
  /** Default 1.25. */
  forwardRewardWeight: number;
  /** Default 0.1. */
  ctrlCostWeight: number;
  /** Default 5e-7. */
  contactCostWeight: number;
  /** The contact cost is clipped to this range; default [-Infinity, 10]. */
  contactCostRange: readonly [number, number];
  /** Paid on healthy steps; default 5. */
  healthyReward: number;
  /** Ends the episode with the first unhealthy step; default true. */
  terminateWhenUnhealthy: boolean;
  /** Open range of the torso's height; default [1, 2]. */
  healthyZRange: readonly [number, number];
  /** Start noise on positions and velocities; default 0.01. */
  resetNoiseScale: number;
  /** Leaves x and y out of the observation; default true. */
  excludeCurrentPositionsFromObservation: boolean;
  /** Shows the inertia of every body about the mass centre; default true. */
  includeCinertInObservation: boolean;
  /** Shows the velocity of every body about the mass centre; default true. */
  includeCvelInObservation: boolean;
  /** Shows the actuator forces; default true. */
  includeQfrcActuatorInObservation: boolean;
  /** Shows the contact forces of every body; default true. */
  includeCfrcExtInObservation: boolean;
}

const DEFAULTS: HumanoidOptions = {
  frameSkip: 5,
  model: undefined,
  forwardRewardWeight: 1.25,
  ctrlCostWeight: 0.1,
  contactCostWeight: 5e-7,
  contactCostRange: [-Infinity, 10],
  healthyReward: 5,
  terminateWhenUnhealthy: true,
  healthyZRange: [1, 2],
  resetNoiseScale: 0.01,
  excludeCurrentPositionsFromObservation: true,
  includeCinertInObservation: true,
  includeCvelInObservation: true,
  includeQfrcActuatorInObservation: true,
  includeCfrcExtInObservation: true,
};

const V5_ONLY = [
  ...(['contactCostWeight', 'contactCostRange', 'includeCinertInObservation', 'includeCvelInObservation'] as const),
  ...(['includeQfrcActuatorInObservation', 'includeCfrcExtInObservation'] as const),
] as const;

export const humanoidV5 = (options: Partial<HumanoidOptions> = {}) => humanoid(5, options);
export const humanoidV4 = (options: V4Options<HumanoidOptions, (typeof V5_ONLY)[number]> = {}) => humanoid(4, options);

/**
 * Walk forward upright. v4 has no contact cost, pays the healthy reward on the terminating step too, shows the
 * always empty rows of the world body and the free joint, and names its info otherwise.
 */
function humanoid(version: GymnasiumVersion, options: Partial<HumanoidOptions>): MujocoTask {
  const chosen = readOptions('Humanoid', version, DEFAULTS, options, V5_ONLY);
  return {
    id: `Humanoid-v${version}`,
    model: chosen.model ?? model(),
    frameSkip: chosen.frameSkip,
    timeLimit: 1000,
    initialize: uniformNoise(chosen.resetNoiseScale),
    observe: (simulation) => observe(simulation, version, chosen),
    track: massCentre,
    evaluate({ simulation, before, after, dt }) {
      const velocity = { x_velocity: (after[0]! - before[0]!) / dt, y_velocity: (after[1]! - before[1]!) / dt };
      const healthy = isInside(simulation.qpos[2]!, chosen.healthyZRange);
      const forward = chosen.forwardRewardWeight * velocity.x_velocity;
      const survive = healthy || (version === 4 && chosen.terminateWhenUnhealthy) ? chosen.healthyReward : 0;
      const control = chosen.ctrlCostWeight * sumOfSquares(simulation.ctrl);
      const contact = version === 4 ? 0 : contactCost(simulation, chosen);
      return {
        reward: forward + survive - (control + contact),
        terminated: !healthy && chosen.terminateWhenUnhealthy,
        info:
          version === 4
            ? {
                ...{ reward_linvel: forward, reward_quadctrl: -control, reward_alive: survive },
                ...{ ...place(after), ...velocity, forward_reward: forward },
              }
            : {
                ...{ ...resetInfo(simulation), ...velocity, reward_survive: survive },
                ...{ reward_forward: forward, reward_ctrl: -control, reward_contact: -contact },
              },
      };
    },
    resetInfo: (simulation) => (version === 4 ? {} : resetInfo(simulation)),
  };
}

function observe(simulation: Simulation, version: GymnasiumVersion, options: HumanoidOptions) {
  const { qpos, qvel } = simulation;
  const bodies = version === 4 ? 0 : 1;
  const dofs = version === 4 ? 0 : 6;
  const part = (shown: boolean, name: 'cinert' | 'cvel' | 'qfrc_actuator' | 'cfrc_ext', skipped: number) =>
    shown ? { [name]: simulation.array(name).subarray(skipped) } : {};
  return {
    qpos: qpos.subarray(options.excludeCurrentPositionsFromObservation ? 2 : 0),
    qvel,
    ...part(options.includeCinertInObservation, 'cinert', 10 * bodies),
    ...part(options.includeCvelInObservation, 'cvel', 6 * bodies),
    ...part(options.includeQfrcActuatorInObservation, 'qfrc_actuator', dofs),
    ...part(options.includeCfrcExtInObservation, 'cfrc_ext', 6 * bodies),
  };
}

/** x and y of the mass centre, of the inertial frames as the engine left them. */
function massCentre(simulation: Simulation): number[] {
  const positions = simulation.array('xipos');
  const masses: Float64Array = simulation.model.body_mass;
  let [x, y, total] = [0, 0, 0];
  for (let i = 0; i < masses.length; i++) {
    x += masses[i]! * positions[3 * i]!;
    y += masses[i]! * positions[3 * i + 1]!;
    total += masses[i]!;
  }
  return [x / total, y / total];
}

function contactCost(simulation: Simulation, { contactCostWeight, contactCostRange }: HumanoidOptions): number {
  return clip(contactCostWeight * sumOfSquares(simulation.array('cfrc_ext')), ...contactCostRange);
}

function resetInfo(simulation: Simulation) {
  return {
    ...place(simulation.qpos),
    tendon_length: simulation.array('ten_length').slice(),
    tendon_velocity: simulation.array('ten_velocity').slice(),
  };
}

function place([x, y]: Iterable<number>) {
  return { x_position: x, y_position: y, distance_from_origin: Math.hypot(x!, y!) };
}

const model = () =>
  mjcf('humanoid', {
    compiler: { angle: 'degree', inertiafromgeom: true },
    option: { integrator: 'RK4', iterations: 50, solver: 'PGS', timestep: 0.003 },
    defaults: {
      joint: { armature: 1, damping: 1, limited: true },
      geom: { condim: 1, margin: 0.001 },
      motor: { ctrllimited: true, ctrlrange: [-0.4, 0.4] },
    },
    world: [
      plane('floor', { size: [20, 20, 0.125], friction: [1, 0.1, 0.1], condim: 3 }),
      body(
        'torso',
        { pos: [0, 0, 1.4] },
        joint('root', { type: 'free', armature: 0, damping: 0, limited: false }),
        capsule('torso1', { fromto: [0, -0.07, 0, 0, 0.07, 0], size: 0.07 }),
        sphere('head', { pos: [0, 0, 0.19], size: 0.09 }),
        capsule('uwaist', { fromto: [-0.01, -0.06, -0.12, -0.01, 0.06, -0.12], size: 0.06 }),
        waist(),
        arm('right', -1),
        arm('left', 1),
      ),
    ],
    tendons: ['left', 'right'].map((side) =>
      fixedTendon(`${side}_hipknee`, { [`${side}_hip_y`]: -1, [`${side}_knee`]: 1 }),
    ),
    actuators: [
      ...motors(100, ['abdomen_y', 'abdomen_z', 'abdomen_x']),
      ...['right', 'left'].flatMap((side) => [
        ...motors(100, [`${side}_hip_x`, `${side}_hip_z`]),
        ...motors(300, [`${side}_hip_y`]),
        ...motors(200, [`${side}_knee`]),
      ]),
      ...['right', 'left'].flatMap((side) => motors(25, [`${side}_shoulder1`, `${side}_shoulder2`, `${side}_elbow`])),
    ],
  });

function motors(gear: number, joints: string[]): MjcfElement[] {
  return joints.map((name) => motor(name, { joint: name, gear }));
}

function waist(): MjcfElement {
  const abdomen = { armature: 0.02, damping: 5 };
  return body(
    'lwaist',
    { pos: [-0.01, 0, -0.26], quat: [1, 0, -0.002, 0] },
    hinge('abdomen_z', { axis: [0, 0, 1], pos: [0, 0, 0.065], range: [-45, 45], stiffness: 20, ...abdomen }),
    hinge('abdomen_y', { axis: [0, 1, 0], pos: [0, 0, 0.065], range: [-75, 30], stiffness: 10, ...abdomen }),
    capsule('lwaist', { fromto: [0, -0.06, 0, 0, 0.06, 0], size: 0.06 }),
    body(
      'pelvis',
      { pos: [0, 0, -0.165], quat: [1, 0, -0.002, 0] },
      hinge('abdomen_x', { axis: [1, 0, 0], pos: [0, 0, 0.1], range: [-35, 35], stiffness: 10, ...abdomen }),
      capsule('butt', { fromto: [-0.02, -0.07, 0, -0.02, 0.07, 0], size: 0.09 }),
      leg('right', -1, { hipArmature: 0.008, kneeStiffness: 0 }),
      leg('left', 1, { hipArmature: 0.01, kneeStiffness: 1 }),
    ),
  );
}

/** A leg at y = 0.1 `side`. The original's left and right differ a little. */
function leg(name: string, side: 1 | -1, { hipArmature = 0, kneeStiffness = 0 }): MjcfElement {
  const hip = { armature: 0.01, damping: 5, stiffness: 10 };
  return body(
    `${name}_thigh`,
    { pos: [0, 0.1 * side, -0.04] },
    hinge(`${name}_hip_x`, { axis: [-side, 0, 0], range: [-25, 5], ...hip }),
    hinge(`${name}_hip_z`, { axis: [0, 0, -side], range: [-60, 35], ...hip }),
    hinge(`${name}_hip_y`, { ...hip, axis: [0, 1, 0], range: [-110, 20], stiffness: 20, armature: hipArmature }),
    capsule(`${name}_thigh1`, { fromto: [0, 0, 0, 0, -0.01 * side, -0.34], size: 0.06 }),
    body(
      `${name}_shin`,
      { pos: [0, -0.01 * side, -0.403] },
      hinge(`${name}_knee`, {
        ...{ axis: [0, -1, 0], pos: [0, 0, 0.02], range: [-160, -2] },
        ...{ armature: 0.006, stiffness: kneeStiffness },
      }),
      capsule(`${name}_shin1`, { fromto: [0, 0, 0, 0, 0, -0.3], size: 0.049 }),
      body(`${name}_foot`, { pos: [0, 0, -0.45] }, sphere(`${name}_foot`, { pos: [0, 0, 0.1], size: 0.075 })),
    ),
  );
}

/** An arm at y = 0.17 `side`. */
function arm(name: string, side: 1 | -1): MjcfElement {
  const range = side < 0 ? [-85, 60] : [-60, 85];
  return body(
    `${name}_upper_arm`,
    { pos: [0, 0.17 * side, 0.06] },
    hinge(`${name}_shoulder1`, { axis: [2, -side, 1], range, stiffness: 1, armature: 0.0068 }),
    hinge(`${name}_shoulder2`, { axis: [0, side, 1], range, stiffness: 1, armature: 0.0051 }),
    capsule(`${name}_uarm1`, { fromto: [0, 0, 0, 0.16, 0.16 * side, -0.16], size: 0.04 }),
    body(
      `${name}_lower_arm`,
      { pos: [0.18, 0.18 * side, -0.18] },
      hinge(`${name}_elbow`, { axis: [0, -1, -side], range: [-90, 50], armature: 0.0028 }),
      capsule(`${name}_larm`, { fromto: [0.01, -0.01 * side, 0.01, 0.17, -0.17 * side, 0.17], size: 0.031 }),
      sphere(`${name}_hand`, { pos: [0.18, -0.18 * side, 0.18], size: 0.04 }),
    ),
  );
}
