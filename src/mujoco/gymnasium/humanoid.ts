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
import { type HumanoidPosture, humanoidModel } from './humanoidModel.js';

/** Which parts of the state a humanoid shows. */
export interface HumanoidObservation {
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

export const SHOW_ALL: HumanoidObservation = {
  excludeCurrentPositionsFromObservation: true,
  includeCinertInObservation: true,
  includeCvelInObservation: true,
  includeQfrcActuatorInObservation: true,
  includeCfrcExtInObservation: true,
};

/** What of {@link HumanoidObservation} v4 has fixed. */
const SHOWN_IN_V4 = [
  ...(['includeCinertInObservation', 'includeCvelInObservation'] as const),
  ...(['includeQfrcActuatorInObservation', 'includeCfrcExtInObservation'] as const),
] as const;

export interface HumanoidOptions extends GymnasiumOptions, HumanoidObservation {
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
  ...SHOW_ALL,
};

const V5_ONLY = [...(['contactCostWeight', 'contactCostRange'] as const), ...SHOWN_IN_V4] as const;

const STANDING: HumanoidPosture = {
  name: 'humanoid',
  torso: 1.4,
  head: [0, 0.19],
  upperWaist: [-0.01, -0.12],
  lowerWaist: [-0.01, -0.26],
  pelvis: [0, -0.165],
  hip: -0.04,
  thigh: [0, -0.34],
  knee: [0, -0.403],
  shin: [0, -0.3],
  foot: [0, -0.45],
  leftHip: -110,
};

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
    model: chosen.model ?? humanoidModel(STANDING),
    frameSkip: chosen.frameSkip,
    timeLimit: 1000,
    initialize: uniformNoise(chosen.resetNoiseScale),
    observe: (simulation) => observeHumanoid(simulation, version, chosen),
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

/** What both humanoids show. */
export function observeHumanoid(simulation: Simulation, version: GymnasiumVersion, options: HumanoidObservation) {
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
