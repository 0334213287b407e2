import type { Simulation } from '../simulation.js';
import type { MujocoTask } from '../task.js';
import {
  clip,
  type GymnasiumOptions,
  type GymnasiumVersion,
  readOptions,
  sumOfSquares,
  uniformNoise,
} from './common.js';
import { type HumanoidObservation, observeHumanoid, SHOW_ALL } from './humanoid.js';
import { type HumanoidPosture, humanoidModel } from './humanoidModel.js';

export interface HumanoidStandupOptions extends GymnasiumOptions, HumanoidObservation {
  /** Default 1. Gymnasium has it among its options but does not use it. */
  uphCostWeight: number;
  /** Default 0.1. */
  ctrlCostWeight: number;
  /** Default 5e-7. */
  impactCostWeight: number;
  /** The impact cost is clipped to this range; default [-Infinity, 10]. */
  impactCostRange: readonly [number, number];
  /** Start noise on positions and velocities; default 0.01. */
  resetNoiseScale: number;
}

const DEFAULTS: HumanoidStandupOptions = {
  frameSkip: 5,
  model: undefined,
  uphCostWeight: 1,
  ctrlCostWeight: 0.1,
  impactCostWeight: 5e-7,
  impactCostRange: [-Infinity, 10],
  resetNoiseScale: 0.01,
  ...SHOW_ALL,
};

/** v4 has no options at all. */
const V5_ONLY = Object.keys(DEFAULTS) as (keyof HumanoidStandupOptions)[];

export const humanoidStandupV5 = (options: Partial<HumanoidStandupOptions> = {}) => humanoidStandup(5, options);
export const humanoidStandupV4 = (options: Record<string, never> = {}) => humanoidStandup(4, options);

/**
 * Stand up from lying on the back: paid for the torso's height over the physics time step, less control and impact
 * costs, plus 1. It never terminates. v4 also shows rows that are always zero, and less info.
 */
function humanoidStandup(version: GymnasiumVersion, options: Partial<HumanoidStandupOptions>): MujocoTask {
  const chosen = readOptions('HumanoidStandup', version, DEFAULTS, options, V5_ONLY);
  return {
    id: `HumanoidStandup-v${version}`,
    model: chosen.model ?? humanoidModel(LYING),
    frameSkip: chosen.frameSkip,
    timeLimit: 1000,
    view: { span: 2.4, center: [0.4, 0, 0.7] },
    initialize: uniformNoise(chosen.resetNoiseScale),
    observe: (simulation) => observeHumanoid(simulation, version, chosen),
    evaluate({ simulation }) {
      const impact = chosen.impactCostWeight * sumOfSquares(simulation.array('cfrc_ext'));
      const terms = {
        reward_linup: (chosen.uphCostWeight * simulation.qpos[2]!) / simulation.timestep,
        reward_quadctrl: -chosen.ctrlCostWeight * sumOfSquares(simulation.ctrl),
        reward_impact: -clip(impact, ...chosen.impactCostRange),
      };
      return {
        reward: terms.reward_linup + terms.reward_quadctrl + terms.reward_impact + 1,
        info: version === 4 ? terms : { ...place(simulation), ...terms },
      };
    },
    resetInfo: (simulation) => (version === 4 ? {} : place(simulation)),
  };
}

function place(simulation: Simulation) {
  const [x, y, z] = simulation.qpos;
  return {
    x_position: x,
    y_position: y,
    z_distance_from_origin: z! - simulation.model.qpos0[2],
    tendon_length: simulation.array('ten_length').slice(),
    tendon_velocity: simulation.array('ten_velocity').slice(),
  };
}

const LYING: HumanoidPosture = {
  name: 'humanoidstandup',
  torso: 0.105,
  head: [-0.15, 0],
  upperWaist: [0.11, 0],
  lowerWaist: [0.21, 0],
  pelvis: [0.165, 0],
  hip: 0,
  thigh: [0.34, 0],
  knee: [0.403, 0],
  shin: [0.3, 0],
  foot: [0.35, -0.1],
  leftHip: -120,
};
