import { body, capsule, fixedTendon, hinge, joint, type MjcfElement, mjcf, motor, plane, sphere } from '../mjcf.js';

/** How the humanoid of Gymnasium's tasks lies in its joints' zero positions; x, z or x, y, z in the parent's frame, m. */
export interface HumanoidPosture {
  name: string;
  torso: number;
  head: [x: number, z: number];
  upperWaist: [x: number, z: number];
  lowerWaist: [x: number, z: number];
  pelvis: [x: number, z: number];
  hip: number;
  /** From the hip to the end of the thigh's capsule, and to the knee. */
  thigh: [x: number, z: number];
  knee: [x: number, z: number];
  /** From the knee to the end of the shin's capsule, and to the foot. */
  shin: [x: number, z: number];
  foot: [x: number, z: number];
  /** Lower limit of the left hip's pitch, degrees; the right one's is -110. */
  leftHip: number;
}

/** The 17 joints, 13 bodies and their motors, standing or lying. */
export const humanoidModel = (posture: HumanoidPosture) =>
  mjcf(posture.name, {
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
        { pos: [0, 0, posture.torso] },
        joint('root', { type: 'free', armature: 0, damping: 0, limited: false }),
        capsule('torso1', { fromto: [0, -0.07, 0, 0, 0.07, 0], size: 0.07 }),
        sphere('head', { pos: inPlane(posture.head), size: 0.09 }),
        capsule('uwaist', {
          fromto: [...inPlane(posture.upperWaist, -0.06), ...inPlane(posture.upperWaist, 0.06)],
          size: 0.06,
        }),
        waist(posture),
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

/** A point at y in the plane of symmetry. */
function inPlane([x, z]: [number, number], y = 0): [number, number, number] {
  return [x, y, z];
}

function motors(gear: number, joints: string[]): MjcfElement[] {
  return joints.map((name) => motor(name, { joint: name, gear }));
}

function waist(posture: HumanoidPosture): MjcfElement {
  const abdomen = { armature: 0.02, damping: 5 };
  return body(
    'lwaist',
    { pos: inPlane(posture.lowerWaist), quat: [1, 0, -0.002, 0] },
    hinge('abdomen_z', { axis: [0, 0, 1], pos: [0, 0, 0.065], range: [-45, 45], stiffness: 20, ...abdomen }),
    hinge('abdomen_y', { axis: [0, 1, 0], pos: [0, 0, 0.065], range: [-75, 30], stiffness: 10, ...abdomen }),
    capsule('lwaist', { fromto: [0, -0.06, 0, 0, 0.06, 0], size: 0.06 }),
    body(
      'pelvis',
      { pos: inPlane(posture.pelvis), quat: [1, 0, -0.002, 0] },
      hinge('abdomen_x', { axis: [1, 0, 0], pos: [0, 0, 0.1], range: [-35, 35], stiffness: 10, ...abdomen }),
      capsule('butt', { fromto: [-0.02, -0.07, 0, -0.02, 0.07, 0], size: 0.09 }),
      leg('right', -1, posture, { hipArmature: 0.008, kneeStiffness: 0, hipLimit: -110 }),
      leg('left', 1, posture, { hipArmature: 0.01, kneeStiffness: 1, hipLimit: posture.leftHip }),
    ),
  );
}

/** A leg at y = 0.1 `side`. The original's left and right differ a little. */
function leg(
  name: string,
  side: 1 | -1,
  posture: HumanoidPosture,
  { hipArmature, kneeStiffness, hipLimit }: { hipArmature: number; kneeStiffness: number; hipLimit: number },
): MjcfElement {
  const hip = { armature: 0.01, damping: 5, stiffness: 10 };
  return body(
    `${name}_thigh`,
    { pos: [0, 0.1 * side, posture.hip] },
    hinge(`${name}_hip_x`, { axis: [-side, 0, 0], range: [-25, 5], ...hip }),
    hinge(`${name}_hip_z`, { axis: [0, 0, -side], range: [-60, 35], ...hip }),
    hinge(`${name}_hip_y`, { ...hip, axis: [0, 1, 0], range: [hipLimit, 20], stiffness: 20, armature: hipArmature }),
    capsule(`${name}_thigh1`, { fromto: [0, 0, 0, ...inPlane(posture.thigh, -0.01 * side)], size: 0.06 }),
    body(
      `${name}_shin`,
      { pos: inPlane(posture.knee, -0.01 * side) },
      hinge(`${name}_knee`, {
        ...{ axis: [0, -1, 0], pos: [0, 0, 0.02], range: [-160, -2] },
        ...{ armature: 0.006, stiffness: kneeStiffness },
      }),
      capsule(`${name}_shin1`, { fromto: [0, 0, 0, ...inPlane(posture.shin)], size: 0.049 }),
      body(`${name}_foot`, { pos: inPlane(posture.foot) }, sphere(`${name}_foot`, { pos: [0, 0, 0.1], size: 0.075 })),
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
