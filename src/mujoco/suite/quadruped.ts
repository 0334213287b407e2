import {
  body,
  capsule,
  cylinder,
  element,
  ellipsoid,
  fixedTendon,
  freejoint,
  general,
  hinge,
  type MjcfElement,
  mjcf,
  plane,
  sensor,
  site,
  sphere,
} from '../mjcf.js';
import type { Simulation } from '../simulation.js';
import { drawWithoutContact, type NoOptions, orientation, randomQuaternion, suiteTask } from './common.js';
import { tolerance } from './tolerance.js';

/** Where each leg is attached and how it is turned about z, degrees. */
const LEGS = {
  front_left: { pos: [0.2, 0.2, 0], turn: 45 },
  front_right: { pos: [0.2, -0.2, 0], turn: -45 },
  back_right: { pos: [-0.2, -0.2, 0], turn: -135 },
  back_left: { pos: [-0.2, 0.2, 0], turn: 135 },
};
const NAMES = Object.keys(LEGS) as (keyof typeof LEGS)[];

/** Run upright; full reward from 5 m/s on. */
export const quadrupedRun = (options: NoOptions = {}) => quadruped('run', options, 5);
/** Walk upright; full reward from 0.5 m/s on. */
export const quadrupedWalk = (options: NoOptions = {}) => quadruped('walk', options, 0.5);

const quadruped = (name: string, options: NoOptions, speed: number) =>
  suiteTask(`quadruped-${name}`, options, {
    model: model(20 * speed),
    frameSkip: 4,
    view: { from: 'diagonal', span: 2.8 },
    initialize(simulation, rng) {
      const turn = randomQuaternion(rng);
      drawWithoutContact(simulation, (attempt) => simulation.qpos.set([0, 0, 0.01 * attempt, ...turn]));
    },
    observe(simulation) {
      const { qpos, qvel } = simulation;
      return {
        egocentric_state: [...qpos.subarray(7), ...qvel.subarray(6), ...simulation.array('act')],
        torso_velocity: simulation.sensor('velocimeter'),
        torso_upright: orientation(simulation, 'torso', 'zz'),
        imu: [...simulation.sensor('imu_accel'), ...simulation.sensor('imu_gyro')],
        force_torque: ['force', 'torque'].flatMap((kind) => NAMES.flatMap((leg) => strain(simulation, kind, leg))),
      };
    },
    reward(simulation) {
      const upright = tolerance(orientation(simulation, 'torso', 'zz'), {
        ...{ lower: 1, upper: Infinity, margin: 2, shape: 'linear', valueAtMargin: 0 },
      });
      const move = tolerance(simulation.sensor('velocimeter')[0]!, {
        ...{ lower: speed, upper: Infinity, margin: speed, shape: 'linear', valueAtMargin: 0.5 },
      });
      return upright * move;
    },
  });

function strain(simulation: Simulation, kind: string, leg: string): number[] {
  return Array.from(simulation.sensor(`${kind}_toe_${leg}`), Math.asinh);
}

/** @param floor half its side, m */
const model = (floor: number) => {
  const servo = { gainprm: 1000, biastype: 'affine', biasprm: [0, -1000], dyntype: 'filter', dynprm: 0.1 } as const;
  return mjcf('quadruped', {
    option: { timestep: 0.005 },
    defaults: {
      geom: { solimp: [0.9, 0.99, 0.003], solref: [0.01, 1] },
      general: { ctrllimited: true, ...servo },
      classes: {
        body: {
          geom: { condim: 1, density: 500 },
          joint: { axis: [0, 1, 0], limited: true, damping: 30, armature: 0.01, solimplimit: [0, 0.99, 0.01] },
        },
      },
    },
    world: [
      plane('floor', { size: [floor, floor, 0.5] }),
      body(
        'torso',
        { pos: [0, 0, 0.57], childclass: 'body' },
        freejoint('root'),
        cylinder('eye_r', { fromto: [0.1, -0.07, 0.12, 0.31, -0.07, 0.08], size: 0.05, mass: 0 }),
        cylinder('eye_l', { fromto: [0.1, 0.07, 0.12, 0.31, 0.07, 0.08], size: 0.05, mass: 0 }),
        ellipsoid('torso', { size: [0.3, 0.27, 0.2], density: 1000 }),
        site('pupil_r', { pos: [0.3, -0.07, 0.08], zaxis: [1, 0, 0], size: 0.033 }),
        site('pupil_l', { pos: [0.3, 0.07, 0.08], zaxis: [1, 0, 0], size: 0.033 }),
        site('workspace', { pos: [0.8, 0, -0.2], size: [0.3, 0.3, 0.3] }),
        ...rangefinders(),
        site('torso_touch', { type: 'box', size: [0.26, 0.26, 0.26] }),
        site('torso', { size: 0.05 }),
        ...NAMES.map(leg),
      ),
    ],
    tendons: [
      ...NAMES.map((name) => bends(`coupling_${name}`, name, { pitch: 0.333, knee: 0.333, ankle: 0.333 })),
      ...NAMES.flatMap((name) => [
        bends(`extend_${name}`, name, { pitch: 0.25, knee: -0.5, ankle: 0.25 }),
        bends(`lift_${name}`, name, { pitch: 0.5, ankle: -0.5 }),
      ]),
    ],
    equalities: NAMES.map((name) =>
      element('tendon', {
        ...{ name: `coupling_${name}`, tendon1: `coupling_${name}` },
        ...{ solimp: [0.95, 0.99, 0.01], solref: [0.005, 0.5] },
      }),
    ),
    sensors: [
      sensor('accelerometer', 'imu_accel', { site: 'torso' }),
      sensor('gyro', 'imu_gyro', { site: 'torso' }),
      sensor('velocimeter', 'velocimeter', { site: 'torso' }),
      ...['force', 'torque'].flatMap((kind) =>
        NAMES.map((name) => sensor(kind, `${kind}_toe_${name}`, { site: `toe_${name}` })),
      ),
      sensor('subtreecom', 'center_of_mass', { body: 'torso' }),
    ],
    actuators: NAMES.flatMap((name) => [
      general(`yaw_${name}`, { joint: `yaw_${name}`, ctrlrange: [-1, 1] }),
      general(`lift_${name}`, { tendon: `lift_${name}`, ctrlrange: [-1, 1.1] }),
      general(`extend_${name}`, { tendon: `extend_${name}`, ctrlrange: [-0.8, 0.8] }),
    ]),
  });
};

/** A sum of the bends of one leg. */
function bends(tendon: string, leg: string, coefficients: Record<string, number>): MjcfElement {
  const joints = Object.entries(coefficients).map(([joint, coefficient]) => [`${joint}_${leg}`, coefficient]);
  return fixedTendon(tendon, Object.fromEntries(joints));
}

function leg(name: keyof typeof LEGS): MjcfElement {
  const { pos, turn } = LEGS[name];
  return body(
    `hip_${name}`,
    { pos, euler: [0, 0, turn] },
    hinge(`yaw_${name}`, { axis: [0, 0, 1], range: [-50, 50] }),
    hinge(`pitch_${name}`, { range: [-20, 60] }),
    capsule(`thigh_${name}`, { fromto: [0, 0, 0, 0.3, 0, 0.11], size: 0.08 }),
    body(
      `knee_${name}`,
      { pos: [0.3, 0, 0.11] },
      hinge(`knee_${name}`, { range: [-60, 50] }),
      capsule(`shin_${name}`, { fromto: [0, 0, 0, 0.25, 0, -0.25], size: 0.065 }),
      body(
        `ankle_${name}`,
        { pos: [0.25, 0, -0.25] },
        hinge(`ankle_${name}`, { range: [-45, 55] }),
        capsule(`foot_${name}`, { fromto: [0, 0, 0, 0, 0, -0.25], size: 0.055 }),
        body(
          `toe_${name}`,
          { pos: [0, 0, -0.3] },
          sphere(`toe_${name}`, { size: 0.08, friction: 1.5 }),
          site(`toe_${name}`, { size: 0.084 }),
        ),
      ),
    ),
  );
}

/** Sites that no sensor of this task uses; `rf_11` sits where `rf_10` does, as in the original. */
function rangefinders(): MjcfElement[] {
  return [0, 1, 2, 3].flatMap((i) =>
    [0, 1, 2, 3, 4].map((j) => {
      const y = i === 1 && j === 1 ? -0.02 : (j - 2) / 100;
      const [x, z] = [0.34 + 0.02 * i, 0.115 - 0.005 * i];
      return site(`rf_${i}${j}`, { type: 'capsule', fromto: [0.41, y, 0.11 - 0.01 * i, x, 0, z], size: 0.005 });
    }),
  );
}
