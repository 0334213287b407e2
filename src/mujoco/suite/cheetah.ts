import { body, capsule, hinge, type MjcfElement, mjcf, motor, plane, sensor, slide } from '../mjcf.js';
import { suiteStepping } from '../stepping.js';
import { type NoOptions, randomizeLimitedJoints, suiteTask } from './common.js';
import { tolerance } from './tolerance.js';

/** Run forward; full reward from 10 m/s on. */
export const cheetahRun = (options: NoOptions = {}) =>
  suiteTask('cheetah-run', options, {
    model: model(),
    frameSkip: 1,
    initialize(simulation, rng) {
      randomizeLimitedJoints(simulation, rng);
      suiteStepping.advance(simulation, 200); // settle down
      simulation.data.time = 0;
    },
    observe: ({ qpos, qvel }) => ({ position: qpos.subarray(1), velocity: qvel }),
    reward: (simulation) =>
      tolerance(simulation.sensor('torso_subtreelinvel')[0]!, {
        ...{ lower: 10, upper: Infinity, margin: 10, shape: 'linear', valueAtMargin: 0 },
      }),
  });

/** A part of a leg: a capsule turned by `angle` degrees about y, on a sprung hinge. */
function part(
  name: string,
  pos: number[],
  joint: { range: number[]; stiffness: number; damping: number },
  shape: { pos: number[]; angle: number; halfLength: number },
  ...next: MjcfElement[]
): MjcfElement {
  return body(
    name,
    { pos },
    hinge(name, joint),
    capsule(name, { pos: shape.pos, euler: [0, shape.angle, 0], size: [0.046, shape.halfLength] }),
    ...next,
  );
}

const model = () =>
  mjcf('cheetah', {
    compiler: { settotalmass: 14 },
    option: { timestep: 0.01 },
    defaults: {
      motor: { ctrllimited: true, ctrlrange: [-1, 1] },
      classes: {
        cheetah: {
          joint: { axis: [0, 1, 0], armature: 0.1, damping: 0.01, limited: true, stiffness: 8 },
          geom: { friction: [0.4, 0.1, 0.1] },
        },
        free: { joint: { limited: false } },
      },
    },
    world: [
      plane('ground', { pos: [98, 0, 0], size: [100, 0.8, 0.5] }),
      body(
        'torso',
        { pos: [0, 0, 0.7], childclass: 'cheetah' },
        slide('rootx', { class: 'free', axis: [1, 0, 0] }),
        slide('rootz', { class: 'free', axis: [0, 0, 1] }),
        hinge('rooty', { class: 'free', axis: [0, 1, 0] }),
        capsule('torso', { fromto: [-0.5, 0, 0, 0.5, 0, 0], size: 0.046 }),
        capsule('head', { pos: [0.6, 0, 0.1], euler: [0, 50, 0], size: [0.046, 0.15] }),
        part(
          'bthigh',
          [-0.5, 0, 0],
          { range: [-30, 60], stiffness: 240, damping: 6 },
          { pos: [0.1, 0, -0.13], angle: -218, halfLength: 0.145 },
          part(
            'bshin',
            [0.16, 0, -0.25],
            { range: [-50, 50], stiffness: 180, damping: 4.5 },
            { pos: [-0.14, 0, -0.07], angle: -116, halfLength: 0.15 },
            part(
              'bfoot',
              [-0.28, 0, -0.14],
              { range: [-230, 50], stiffness: 120, damping: 3 },
              { pos: [0.03, 0, -0.097], angle: -15, halfLength: 0.094 },
            ),
          ),
        ),
        part(
          'fthigh',
          [0.5, 0, 0],
          { range: [-57, 0.4], stiffness: 180, damping: 4.5 },
          { pos: [-0.07, 0, -0.12], angle: 30, halfLength: 0.133 },
          part(
            'fshin',
            [-0.14, 0, -0.24],
            { range: [-70, 50], stiffness: 120, damping: 3 },
            { pos: [0.065, 0, -0.09], angle: -34, halfLength: 0.106 },
            part(
              'ffoot',
              [0.13, 0, -0.18],
              { range: [-28, 28], stiffness: 60, damping: 1.5 },
              { pos: [0.045, 0, -0.07], angle: -34, halfLength: 0.07 },
            ),
          ),
        ),
      ),
    ],
    sensors: [sensor('subtreelinvel', 'torso_subtreelinvel', { body: 'torso' })],
    actuators: Object.entries({ bthigh: 120, bshin: 90, bfoot: 60, fthigh: 90, fshin: 60, ffoot: 30 }).map(
      ([name, gear]) => motor(name, { joint: name, gear }),
    ),
  });
