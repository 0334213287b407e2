import {
  body,
  box,
  capsule,
  ellipsoid,
  fixedTendon,
  freejoint,
  general,
  hinge,
  inertial,
  type MjcfElement,
  mjcf,
  plane,
  sensor,
  site,
  sphere,
} from '../mjcf.js';
import { DOG_INERTIAS } from './dogInertias.js';
import { LOWER_TEETH, type Tooth, UPPER_TEETH } from './dogTeeth.js';
import { NECK, SPINE, TAIL, TENDONS } from './dogVertebrae.js';

type Side = 'L' | 'R';
type Vector = readonly number[];

/** y of the left side is positive. */
const sign = (side: Side) => (side === 'L' ? 1 : -1);

/** A quaternion of the left side and its mirror image, as the bones' files have it. */
const mirrored = (side: Side, quat: Vector) => (side === 'L' ? quat : [...quat].reverse());

/** The dog. Its bones never collide and are left out: the inertias hold their mass. */
export const dogModel = () =>
  mjcf('dog', {
    compiler: { inertiafromgeom: 'false' },
    option: { timestep: 0.005, noslip_iterations: 4 },
    defaults: {
      joint: {
        ...{ limited: true, stiffness: 0.1, damping: 0.01, armature: 1e-4 },
        ...{ solreflimit: [0.01, 1], solimplimit: [0.9, 0.99, 0.01] },
      },
      geom: { condim: 1, friction: 0.9, solref: [0.01, 1], solimp: [0.95, 0.99, 0.001] },
      general: { ctrllimited: true, ctrlrange: [-1, 1], dyntype: 'filter', dynprm: 0.05 },
      classes: {
        lumbar: { joint: { pos: [0.012, 0, 0.01], damping: 3, armature: 0.01 } },
        cervical: { joint: { stiffness: 4, damping: 3, armature: 0.01 } },
        caudal: { joint: { range: [-15, 15], springdamper: [0.001, 50] } },
        hip: { joint: { stiffness: 5, damping: 0.5, armature: 0.01 } },
        scapula: { joint: { stiffness: 10, damping: 1.5 } },
        shoulder: { joint: { stiffness: 5, damping: 1 } },
        foot: { geom: { solimp: [0.9, 0.95, 0.001] } },
        tooth: { geom: { condim: 6, priority: 2, friction: [0.5, 0.01, 0.01] } },
        trunk: { geom: { conaffinity: 0 } },
        silent: { geom: { condim: 3, contype: 0, conaffinity: 0 } },
      },
    },
    world: [plane('floor', { size: [135, 135, 0.1], condim: 3 }), torso()],
    excludes: EXCLUDES.split(' ').map((pair) => pair.split(':') as [string, string]),
    tendons: Object.entries(TENDONS).map(([name, coefficients]) => fixedTendon(name, coefficients)),
    sensors: [
      sensor('accelerometer', 'accelerometer', { site: 'head' }),
      sensor('velocimeter', 'velocimeter', { site: 'head' }),
      sensor('gyro', 'gyro', { site: 'head' }),
      sensor('subtreelinvel', 'torso_linvel', { body: 'torso' }),
      sensor('subtreeangmom', 'torso_angmom', { body: 'torso' }),
      ...['palm_L', 'palm_R', 'sole_L', 'sole_R'].map((name) => sensor('touch', name, { site: name })),
      ...['foot_L', 'foot_R', 'hand_L', 'hand_R'].map((name) =>
        sensor('force', name, { site: name.replace('_', '_anchor_') }),
      ),
    ],
    actuators: actuators(),
  });

/** Pairs of bodies that never collide. */
const EXCLUDES =
  'torso:upper_arm_L torso:lower_arm_L torso:upper_arm_R torso:lower_arm_R pelvis:lower_leg_L pelvis:lower_leg_R ' +
  'pelvis:Ca_2 pelvis:Ca_3 upper_leg_L:foot_L upper_leg_L:upper_leg_R upper_leg_R:foot_R Ca_1:Ca_3 Ca_2:Ca_4 ' +
  'Ca_3:Ca_5 Ca_4:Ca_6 C_7:scapula_L C_7:upper_arm_L C_7:scapula_R C_7:upper_arm_R C_6:scapula_L C_6:upper_arm_L ' +
  'C_6:scapula_R C_6:upper_arm_R C_5:scapula_L C_5:upper_arm_L C_5:scapula_R C_5:upper_arm_R C_4:scapula_L ' +
  'C_4:scapula_R C_1:jaw';

function actuators(): MjcfElement[] {
  const tendon = (gain: number, ...names: string[]) =>
    names.map((name) => general(name, { tendon: name, gainprm: gain }));
  const joint = (gain: number, ...names: string[]) =>
    names.map((name) => general(name, { joint: name, gainprm: gain }));
  return [
    ...tendon(60, 'lumbar_extend'),
    ...tendon(40, 'lumbar_bend', 'lumbar_twist'),
    ...tendon(20, 'cervical_extend', 'cervical_bend'),
    ...tendon(14, 'cervical_twist'),
    ...tendon(0.5, 'caudal_extend', 'caudal_bend'),
    ...(['L', 'R'] as const).flatMap((side) => [
      ...joint(10, `hip_${side}_supinate`, `hip_${side}_abduct`),
      ...joint(40, `hip_${side}_extend`),
      ...joint(30, `knee_${side}`),
      ...joint(20, `ankle_${side}`),
      ...joint(2, `toe_${side}`),
    ]),
    ...joint(10, 'atlas'),
    ...joint(3, 'mandible'),
    ...(['L', 'R'] as const).flatMap((side) => [
      ...joint(30, ...['supinate', 'abduct', 'extend'].map((way) => `scapula_${side}_${way}`)),
      ...joint(30, `shoulder_${side}_supinate`, `shoulder_${side}_extend`),
      ...joint(20, `elbow_${side}`),
      ...joint(10, `wrist_${side}`),
      ...joint(2, `finger_${side}`),
    ]),
  ];
}

/** A body with its inertia from the table. */
function bone(name: string, pos: Vector, ...children: readonly MjcfElement[]): MjcfElement {
  const numbers = DOG_INERTIAS[name]!;
  const inertia = inertial({
    mass: numbers[0]!,
    pos: numbers.slice(1, 4),
    quat: numbers.slice(4, 8),
    diaginertia: numbers.slice(8),
  });
  return body(name, { pos }, inertia, ...children);
}

function torso(): MjcfElement {
  return bone(
    'torso',
    [0.040403, 0, 0.41522],
    freejoint('root'),
    ellipsoid('collision_torso', { class: 'trunk', euler: [0, 10, 0], size: [0.2, 0.09, 0.11] }),
    spine(1),
    neck(7),
    foreLeg('L'),
    foreLeg('R'),
  );
}

/** Lumbar vertebra `i` and all behind it. Odd ones extend and bend, even ones twist. */
function spine(i: number): MjcfElement {
  const hinges =
    i % 2
      ? [
          hinge(`L_${i}_extend`, { class: 'lumbar', axis: [0, 1, 0], range: [-24.5, 24.5], stiffness: 30 }),
          hinge(`L_${i}_bend`, { class: 'lumbar', axis: [0, 0, 1], range: [-21, 21], stiffness: 45 }),
        ]
      : [hinge(`L_${i}_twist`, { class: 'lumbar', axis: [1, 0, 0], range: [-16.333, 16.333], stiffness: 45 })];
  return bone(
    `L_${i}`,
    SPINE[i - 1]!,
    ...hinges,
    sphere(`L_${i}_collision`, { class: 'trunk', pos: [0, 0, -0.02], size: 0.05 }),
    i < 7 ? spine(i + 1) : pelvis(),
  );
}

function pelvis(): MjcfElement {
  const side = (name: Side) =>
    capsule(`collision_pelvis_${name}`, {
      ...{ class: 'trunk', pos: [0.01, 0.02 * sign(name), -0.01], euler: [0, 70, 0], size: [0.05, 0.05] },
    });
  return bone('pelvis', [-0.080217, 0, -0.034801], side('L'), side('R'), hindLeg('L'), hindLeg('R'), tail(1));
}

function hindLeg(side: Side): MjcfElement {
  const y = sign(side);
  const tip = (i: number, x: number, z: number, size: Vector) =>
    capsule(`toe_${side}${i}_collision`, { class: 'foot', pos: [x, 0, z], euler: [90, 0, 0], size });
  const toe = bone(
    `toe_${side}`,
    [0, 0, 0],
    hinge(`toe_${side}`, { axis: [0, 1, 0], range: [-15, 70], stiffness: 2, damping: 0.02 }),
    tip(0, 0.015, -0.02, [0.018, 0.012]),
    tip(1, 0.035, -0.028, [0.01, 0.015]),
    tip(2, 0.045, -0.03, [0.008, 0.01]),
    site(`sole_${side}`, { type: 'box', pos: [0.026, 0, -0.033], size: [0.025, 0.03, 0.008] }),
  );
  const foot = bone(
    `foot_${side}`,
    [-0.17914, -0.0056423 * y, -0.13824],
    hinge(`ankle_${side}`, { axis: [0, 1, 0], range: [-100, 20], damping: 0.3 }),
    capsule(`foot_${side}_collision`, { pos: [-0.01, 0.005 * y, -0.05], size: [0.015, 0.07] }),
    anchor(`foot_anchor_${side}`, [-0.015043, 0.0081311 * y, -0.11993], toe),
  );
  return bone(
    `upper_leg_${side}`,
    [-0.018108, 0.047237 * y, -0.012597],
    hinge(`hip_${side}_supinate`, { class: 'hip', axis: [0, 0, y], range: [-20, 20] }),
    hinge(`hip_${side}_abduct`, { class: 'hip', axis: [y, 0, 0], range: [-30, 90] }),
    hinge(`hip_${side}_extend`, { class: 'hip', axis: [0, 1, 0], range: [-130, 60] }),
    capsule(`upper_leg_${side}0_collision`, {
      ...{ pos: [-0.01, 0.02 * y, -0.08], euler: [10 * y, 20, 0], size: [0.04, 0.08] },
    }),
    capsule(`upper_leg_${side}1_collision`, { pos: [-0.03, 0, -0.05], euler: [10 * y, 5, 0], size: [0.04, 0.04] }),
    bone(
      `lower_leg_${side}`,
      [-0.023037, 0.0311 * y, -0.16702],
      hinge(`knee_${side}`, { axis: [0, -1, 0], range: [-120, 10], damping: 0.5 }),
      capsule(`lower_leg_${side}_collision`, {
        pos: [-0.09513, side === 'L' ? -1.1454e-5 : 1.136e-5, -0.068643],
        quat: mirrored(side, [0.80051, 0.18703, 0.42091, 0.38345]),
        size: [0.02, 0.1],
      }),
      foot,
    ),
  );
}

/** A tiny body whose site measures the force on what is below it. */
function anchor(name: string, pos: Vector, next: MjcfElement): MjcfElement {
  const size = [0.005, 0.005, 0.005];
  const silent = { contype: 0, conaffinity: 0 };
  return bone(name, pos, box(name, { class: 'foot', size, ...silent }), site(name, { size: 0.005 }), next);
}

/** Tail vertebra `i` and all behind it. Odd ones extend, even ones bend. */
function tail(i: number): MjcfElement {
  const [pos, joint, axis, middle, quat, size] = TAIL[i - 1]!;
  return bone(
    `Ca_${i}`,
    pos,
    hinge(`Ca_${i}_${i % 2 ? 'extend' : 'bend'}`, { class: 'caudal', axis, pos: joint }),
    capsule(`Ca_${i}_collision`, { pos: middle, quat, size }),
    i < TAIL.length ? tail(i + 1) : site('tail_tip', { size: 0.005 }),
  );
}

/** Neck vertebra `i` and all before it, up to the head. Odd ones extend and bend, even ones twist. */
function neck(i: number): MjcfElement {
  const [pos, joint, axis] = NECK[7 - i]!;
  const hinges =
    i % 2
      ? [
          hinge(`C_${i}_extend`, { class: 'cervical', axis: [0, 1, 0], pos: joint, range: [-17.5, 61.25] }),
          hinge(`C_${i}_bend`, { class: 'cervical', axis, pos: joint, range: [-35, 35] }),
        ]
      : [hinge(`C_${i}_twist`, { class: 'cervical', axis, pos: joint, range: [-23.333, 23.333] })];
  return bone(
    `C_${i}`,
    pos,
    ...hinges,
    sphere(`C_${i}_R_collision`, { class: 'trunk', size: (28 + 6 * i) / 1000 }),
    i > 1 ? neck(i - 1) : skull(),
  );
}

function skull(): MjcfElement {
  const eye = (side: Side) => [
    ellipsoid(`iris_${side}`, {
      ...{ class: 'silent', pos: [0.023, 0.027 * sign(side), 0.01], euler: [0, 0, 20 * sign(side)] },
      size: [0.003, 0.007, 0.007],
    }),
    sphere(`pupil_${side}`, { class: 'silent', pos: [0.0215, 0.0275 * sign(side), 0.01], size: 0.003 }),
  ];
  return bone(
    'skull',
    [0.077928, 0, 0.017833],
    hinge('atlas', { axis: [0, -1, 0], pos: [-0.062463, 0, 0], range: [-15, 30], stiffness: 2, damping: 0.2 }),
    ...eye('L'),
    ...eye('R'),
    ellipsoid('skull0_collision', { pos: [-0.02, 0, 0.01], euler: [0, 10, 0], size: [0.06, 0.06, 0.04] }),
    capsule('skull1_collision', { pos: [0.06, 0, -0.01], euler: [0, 110, 0], size: [0.015, 0.04] }),
    box('skull2_collision', { pos: [0.02, 0, -0.03], size: [0.03, 0.028, 0.008] }),
    box('skull3_collision', { pos: [0.07, 0, -0.03], size: [0.02, 0.018, 0.006] }),
    box('skull4_collision', { pos: [0.095, 0, -0.03], size: [0.005, 0.015, 0.004] }),
    ...UPPER_TEETH.map(tooth),
    site('head', { type: 'box', size: [0.01, 0.01, 0.01] }),
    site('upper_bite', { pos: [0.065, 0, -0.07], size: 0.005 }),
    jaw(),
  );
}

function jaw(): MjcfElement {
  return bone(
    'jaw',
    [0.0082923, 0, -0.058237],
    hinge('mandible', {
      ...{ axis: [0, 1, 0], pos: [-0.043, 0, 0.05], range: [-15, 20] },
      ...{ stiffness: 2, damping: 0.2, springref: -11 },
    }),
    box('jaw0_collision', { pos: [-0.03, 0, 0.01], euler: [0, 55, 0], size: [0.03, 0.028, 0.008] }),
    box('jaw1_collision', { pos: [0, 0, -0.012], euler: [0, 30, 0], size: [0.02, 0.022, 0.005] }),
    box('jaw2_collision', { pos: [0.03, 0, -0.028], euler: [0, 25, 0], size: [0.02, 0.018, 0.005] }),
    box('jaw3_collision', { pos: [0.052, 0, -0.035], euler: [0, 15, 0], size: [0.015, 0.013, 0.003] }),
    ...LOWER_TEETH.map(tooth),
    site('lower_bite', { pos: [0.063, 0, 0.005], size: 0.005 }),
  );
}

function tooth([name, pos, quat, size]: Tooth): MjcfElement {
  return ellipsoid(`${name}_collision`, { class: 'tooth', pos, quat, size });
}

function foreLeg(side: Side): MjcfElement {
  const y = sign(side);
  const tip = (i: number, x: number, z: number, size: Vector) =>
    capsule(`finger_${side}${i}_collision`, { class: 'foot', pos: [x, 0, z], euler: [90, 0, 0], size });
  const finger = bone(
    `finger_${side}`,
    [0.02, 0, -0.06],
    hinge(`finger_${side}`, { axis: [0, 1, 0.2 * y], range: [-15, 100], stiffness: 1, damping: 0.02 }),
    tip(0, 0.012, -0.012, [0.018, 0.012]),
    tip(1, 0.032, -0.02, [0.01, 0.015]),
    tip(2, 0.042, -0.022, [0.008, 0.01]),
    site(`palm_${side}`, { type: 'box', pos: [0.02, 0, -0.024], size: [0.028, 0.03, 0.007] }),
  );
  const hand = bone(
    `hand_${side}`,
    [0, 0, 0],
    hinge(`wrist_${side}`, { axis: [0, -1, 0], range: [-110, 10], damping: 0.2 }),
    box(`hand_${side}_collision`, { pos: [0.01, 0, -0.04], euler: [0, 65, 0], size: [0.03, 0.016, 0.012] }),
    finger,
  );
  const lowerArm = bone(
    `lower_arm_${side}`,
    [-0.05, 0.015 * y, -0.145],
    hinge(`elbow_${side}`, { axis: [0, 1, 0.2 * y], range: [-100, 30], damping: 0.3 }),
    capsule(`Radius_${side}_collision`, {
      pos: [-0.0016515, -0.0069684 * y, -0.10807],
      quat: [0.9802, -0.056819 * y, 0.010884, 0.18935 * y],
      size: [0.017, 0.09],
    }),
    capsule(`Ulna_${side}_collision`, {
      pos: [-0.01187, side === 'L' ? -0.00044152 : 0.00044155, -0.051646],
      quat: mirrored(side, [0.69933, -0.032243, -0.022055, 0.71373]),
      size: [0.015, 0.06],
    }),
    anchor(`hand_anchor_${side}`, [0.003, -0.015 * y, -0.19], hand),
  );
  return bone(
    `scapula_${side}`,
    [0.08, 0.02 * y, 0.14],
    hinge(`scapula_${side}_supinate`, {
      ...{ class: 'scapula', axis: [0, 0, y], pos: [-0.03, -0.02 * y, 0], range: [-15, 35] },
    }),
    hinge(`scapula_${side}_abduct`, {
      ...{ class: 'scapula', axis: [y, 0, 0], pos: [0, -0.05 * y, -0.07], range: [-15, 20] },
    }),
    hinge(`scapula_${side}_extend`, { class: 'scapula', axis: [0.3 * y, 1, 0], range: [-30, 30] }),
    box(`Scapula_${side}_collision`, {
      pos: [0.038823, 0.030833 * y, -0.064928],
      quat: mirrored(side, [0.73469, -0.16444, -0.27169, 0.59948]),
      size: [0.01758, 0.03491, 0.057492],
    }),
    bone(
      `upper_arm_${side}`,
      [0.075, 0.033 * y, -0.13],
      hinge(`shoulder_${side}_supinate`, { class: 'shoulder', axis: [-y, 0, y], range: [-30, 15] }),
      hinge(`shoulder_${side}_extend`, { class: 'shoulder', axis: [0, 1, 0], range: [-40, 60] }),
      capsule(`humerus_${side}_collision`, {
        pos: [-0.018023, 0.00985 * y, -0.077038],
        quat: mirrored(side, [0.56918, 0.17822, 0.080004, 0.79867]),
        size: [0.02, 0.08],
      }),
      lowerArm,
    ),
  );
}
