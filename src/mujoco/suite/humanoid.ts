import {
  body,
  capsule,
  freejoint,
  hinge,
  type MjcfElement,
  mjcf,
  motor,
  plane,
  sensor,
  site,
  sphere,
} from '../mjcf.js';
import type { Simulation } from '../simulation.js';
import type { MujocoTask } from '../task.js';
import {
  difference,
  drawWithoutContact,
  type NoOptions,
  normalized,
  orientation,
  randomizeLimitedJoints,
  smallControl,
  suiteTask,
  toFrame,
} from './common.js';
import { tolerance } from './tolerance.js';

/** Stand still and upright. */
export const humanoidStand = (options: NoOptions = {}) => humanoid('stand', options, still);
/** Walk at 1 m/s or more. */
export const humanoidWalk = (options: NoOptions = {}) => humanoid('walk', options, moving(1));
/** Run; full reward from 10 m/s on. */
export const humanoidRun = (options: NoOptions = {}) => humanoid('run', options, moving(10));

/** Run, seeing positions and velocities of the joints as they are, the place in the world included. */
export const humanoidRunPureState = (options: NoOptions = {}): MujocoTask => ({
  ...humanoidRun(options),
  id: 'dm_control/humanoid-run_pure_state',
  observe: ({ qpos, qvel }) => ({ position: qpos, velocity: qvel }),
});

function humanoid(name: string, options: NoOptions, motion: (velocity: Float64Array) => number) {
  return suiteTask(`humanoid-${name}`, options, {
    model: model(),
    frameSkip: 5,
    initialize(simulation, rng) {
      drawWithoutContact(simulation, () => {
        simulation.qpos.set(normalized([rng.uniform(), rng.uniform(), rng.uniform(), rng.uniform()]), 3);
        randomizeLimitedJoints(simulation, rng);
      });
    },
    observe: (simulation) => ({
      joint_angles: simulation.qpos.subarray(7),
      head_height: simulation.bodyPosition('head')[2]!,
      extremities: ['left_hand', 'left_foot', 'right_hand', 'right_foot'].flatMap((limb) => seen(simulation, limb)),
      torso_vertical: simulation.bodyOrientation('torso').subarray(6),
      com_velocity: simulation.sensor('torso_subtreelinvel'),
      velocity: simulation.qvel,
    }),
    reward: (simulation) => posture(simulation) * motion(simulation.sensor('torso_subtreelinvel')),
  });
}

/** A body's position in the torso's frame. */
function seen(simulation: Simulation, limb: string): number[] {
  const way = difference(simulation.bodyPosition(limb), simulation.bodyPosition('torso'));
  return toFrame(way, simulation.bodyOrientation('torso'));
}

/** Head up, torso upright, small controls. */
function posture(simulation: Simulation): number {
  const standing = tolerance(simulation.bodyPosition('head')[2]!, { lower: 1.4, upper: Infinity, margin: 0.35 });
  const upright = tolerance(orientation(simulation, 'torso', 'zz'), {
    ...{ lower: 0.9, upper: Infinity, margin: 1.9, shape: 'linear', valueAtMargin: 0 },
  });
  return smallControl(simulation) * standing * upright;
}

function still([x, y]: Float64Array): number {
  return (tolerance(x!, { margin: 2 }) + tolerance(y!, { margin: 2 })) / 2;
}

const moving =
  (speed: number) =>
  ([x, y]: Float64Array): number => {
    const move = tolerance(Math.hypot(x!, y!), {
      ...{ lower: speed, upper: Infinity, margin: speed, shape: 'linear', valueAtMargin: 0 },
    });
    return (5 * move + 1) / 6;
  };

const SIDES = ['right', 'left'] as const;
type Side = (typeof SIDES)[number];

const TOUCH_SITES = [
  ...['torso', 'head', 'lower_waist', 'butt'],
  ...['right_thigh', 'right_shin', 'right_right_foot', 'left_right_foot'],
  ...['left_thigh', 'left_shin', 'right_left_foot', 'left_left_foot'],
  ...['right_upper_arm', 'right_lower_arm', 'right_hand', 'left_upper_arm', 'left_lower_arm', 'left_hand'],
];

const model = () =>
  mjcf('humanoid', {
    option: { timestep: 0.005 },
    defaults: {
      motor: { ctrllimited: true, ctrlrange: [-1, 1] },
      classes: {
        body: {
          geom: { condim: 1, friction: 0.7, solimp: [0.9, 0.99, 0.003], solref: [0.015, 1] },
          joint: { limited: true, armature: 0.01, damping: 0.2, stiffness: 1, solimplimit: [0, 0.99, 0.01] },
          site: { size: 0.04 },
          classes: {
            big_joint: { joint: { damping: 5, stiffness: 10 } },
            big_stiff_joint: { joint: { damping: 5, stiffness: 20 } },
            force_torque: { site: { type: 'box', size: [0.01, 0.01, 0.02] } },
            touch: { site: { type: 'capsule' } },
          },
        },
      },
    },
    world: [
      plane('floor', { size: [100, 100, 0.2] }),
      body(
        'torso',
        { pos: [0, 0, 1.5], childclass: 'body' },
        freejoint('root'),
        site('root', { class: 'force_torque' }),
        capsule('torso', { fromto: [0, -0.07, 0, 0, 0.07, 0], size: 0.07 }),
        capsule('upper_waist', { fromto: [-0.01, -0.06, -0.12, -0.01, 0.06, -0.12], size: 0.06 }),
        site('torso', { type: 'box', pos: [0, 0, -0.05], size: [0.075, 0.14, 0.13] }),
        body('head', { pos: [0, 0, 0.19] }, sphere('head', { size: 0.09 }), site('head', { size: 0.091 })),
        waist(),
        ...SIDES.map(arm),
      ),
    ],
    sensors: [
      sensor('subtreelinvel', 'torso_subtreelinvel', { body: 'torso' }),
      sensor('accelerometer', 'torso_accel', { site: 'root' }),
      sensor('velocimeter', 'torso_vel', { site: 'root' }),
      sensor('gyro', 'torso_gyro', { site: 'root' }),
      ...['force', 'torque'].flatMap((kind) =>
        ['ankle', 'knee', 'hip'].flatMap((part) =>
          ['left', 'right'].map((side) => sensor(kind, `${side}_${part}_${kind}`, { site: `${side}_${part}` })),
        ),
      ),
      ...TOUCH_SITES.map((name) => sensor('touch', `${name}_touch`, { site: name })),
    ],
    actuators: [
      ...motors({ abdomen_y: 40, abdomen_z: 40, abdomen_x: 40 }),
      ...SIDES.flatMap((side) =>
        motors({ hip_x: 40, hip_z: 40, hip_y: 120, knee: 80, ankle_x: 20, ankle_y: 20 }, side),
      ),
      ...SIDES.flatMap((side) => motors({ shoulder1: 20, shoulder2: 20, elbow: 40 }, side)),
    ],
  });

function motors(gears: Record<string, number>, side?: Side): MjcfElement[] {
  return Object.entries(gears).map(([part, gear]) => {
    const name = side ? `${side}_${part}` : part;
    return motor(name, { joint: name, gear });
  });
}

function waist(): MjcfElement {
  return body(
    'lower_waist',
    { pos: [-0.01, 0, -0.26], quat: [1, 0, -0.002, 0] },
    hinge('abdomen_z', { class: 'big_stiff_joint', axis: [0, 0, 1], pos: [0, 0, 0.065], range: [-45, 45] }),
    hinge('abdomen_y', { class: 'big_joint', axis: [0, 1, 0], pos: [0, 0, 0.065], range: [-75, 30] }),
    capsule('lower_waist', { fromto: [0, -0.06, 0, 0, 0.06, 0], size: 0.06 }),
    site('lower_waist', { class: 'touch', zaxis: [0, 1, 0], size: [0.061, 0.06] }),
    body(
      'pelvis',
      { pos: [0, 0, -0.165], quat: [1, 0, -0.002, 0] },
      hinge('abdomen_x', { class: 'big_joint', axis: [1, 0, 0], pos: [0, 0, 0.1], range: [-35, 35] }),
      capsule('butt', { fromto: [-0.02, -0.07, 0, -0.02, 0.07, 0], size: 0.09 }),
      site('butt', { class: 'touch', pos: [-0.02, 0, 0], zaxis: [0, 1, 0], size: [0.091, 0.07] }),
      ...SIDES.map(leg),
    ),
  );
}

/** y of the left is positive. */
const sign = (side: Side) => (side === 'left' ? 1 : -1);

function leg(side: Side): MjcfElement {
  const y = sign(side);
  return body(
    `${side}_thigh`,
    { pos: [0, 0.1 * y, -0.04] },
    hinge(`${side}_hip_x`, { class: 'big_joint', axis: [-y, 0, 0], range: [-25, 5] }),
    hinge(`${side}_hip_z`, { class: 'big_joint', axis: [0, 0, -y], range: [-60, 35] }),
    hinge(`${side}_hip_y`, {
      ...{ class: 'big_stiff_joint', axis: [0, 1, 0], range: [side === 'left' ? -120 : -110, 20] },
    }),
    site(`${side}_hip`, { class: 'force_torque' }),
    capsule(`${side}_thigh`, { fromto: [0, 0, 0, 0, -0.01 * y, -0.34], size: 0.06 }),
    site(`${side}_thigh`, { class: 'touch', pos: [0, -0.005 * y, -0.17], zaxis: [0, y, 34], size: [0.061, 0.17] }),
    body(
      `${side}_shin`,
      { pos: [0, -0.01 * y, -0.403] },
      hinge(`${side}_knee`, { axis: [0, -1, 0], pos: [0, 0, 0.02], range: [-160, 2] }),
      site(`${side}_knee`, { class: 'force_torque', pos: [0, 0, 0.02] }),
      capsule(`${side}_shin`, { fromto: [0, 0, 0, 0, 0, -0.3], size: 0.049 }),
      site(`${side}_shin`, { class: 'touch', pos: [0, 0, -0.15], size: [0.05, 0.15] }),
      foot(side),
    ),
  );
}

/** Two capsules; the outer one, named after the leg's side, leans outwards and the other inwards. */
function foot(side: Side): MjcfElement {
  const y = sign(side);
  const inner = side === 'left' ? 'right' : 'left';
  const soles = [
    capsule(`${side}_${side}_foot`, { fromto: [-0.07, 0.02 * y, 0, 0.14, 0.04 * y, 0], size: 0.027 }),
    capsule(`${inner}_${side}_foot`, { fromto: [-0.07, 0, 0, 0.14, -0.02 * y, 0], size: 0.027 }),
  ];
  const touch = { class: 'touch', size: [0.03, 0.11] };
  const outerSite = site(`${side}_${side}_foot`, { ...touch, pos: [0.035, 0.03 * y, 0], zaxis: [21, 2 * y, 0] });
  const innerSite = site(`${inner}_${side}_foot`, { ...touch, pos: [0.035, -0.01 * y, 0], zaxis: [21, -2 * y, 0] });
  return body(
    `${side}_foot`,
    { pos: [0, 0, -0.39] },
    hinge(`${side}_ankle_y`, { axis: [0, 1, 0], pos: [0, 0, 0.08], range: [-50, 50], stiffness: 6 }),
    hinge(`${side}_ankle_x`, { axis: [1, 0, 0.5], pos: [0, 0, 0.04], range: [-50, 50], stiffness: 3 }),
    site(`${side}_ankle`, { class: 'force_torque' }),
    ...soles,
    ...(side === 'right' ? [outerSite, innerSite] : [innerSite, outerSite]),
  );
}

function arm(side: Side): MjcfElement {
  const y = sign(side);
  const range = side === 'left' ? [-60, 85] : [-85, 60];
  return body(
    `${side}_upper_arm`,
    { pos: [0, 0.17 * y, 0.06] },
    hinge(`${side}_shoulder1`, { axis: [2, -y, 1], range }),
    hinge(`${side}_shoulder2`, { axis: [0, y, 1], range }),
    capsule(`${side}_upper_arm`, { fromto: [0, 0, 0, 0.16, 0.16 * y, -0.16], size: 0.04 }),
    site(`${side}_upper_arm`, {
      ...{ class: 'touch', pos: [0.08, 0.08 * y, -0.08], zaxis: [1, y, -1], size: [0.041, 0.14] },
    }),
    body(
      `${side}_lower_arm`,
      { pos: [0.18, 0.18 * y, -0.18] },
      hinge(`${side}_elbow`, { axis: [0, -1, -y], range: [-90, 50], stiffness: 0 }),
      capsule(`${side}_lower_arm`, { fromto: [0.01, -0.01 * y, 0.01, 0.17, -0.17 * y, 0.17], size: 0.031 }),
      site(`${side}_lower_arm`, {
        ...{ class: 'touch', pos: [0.09, -0.09 * y, 0.09], zaxis: [1, -y, 1], size: [0.032, 0.14] },
      }),
      body(
        `${side}_hand`,
        { pos: [0.18, -0.18 * y, 0.18] },
        sphere(`${side}_hand`, { size: 0.04 }),
        site(`${side}_hand`, { size: 0.041 }),
      ),
    ),
  );
}
