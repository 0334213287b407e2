import { body, capsule, hinge, mjcf, motor, plane, sensor, site, slide } from '../mjcf.js';
import type { Simulation } from '../simulation.js';
import { logTouch, type NoOptions, randomizeJoints, smallControl, suiteTask } from './common.js';
import { tolerance } from './tolerance.js';

/** Hop forward at 2 m/s or more with the torso well above the foot. */
export const hopperHop = (options: NoOptions = {}) =>
  hopper('hop', options, (simulation) =>
    tolerance(simulation.sensor('torso_subtreelinvel')[0]!, {
      ...{ lower: 2, upper: Infinity, margin: 1, shape: 'linear', valueAtMargin: 0.5 },
    }),
  );
/** Stand with the torso well above the foot. */
export const hopperStand = (options: NoOptions = {}) => hopper('stand', options, smallControl);

const hopper = (name: string, options: NoOptions, motion: (simulation: Simulation) => number) =>
  suiteTask(`hopper-${name}`, options, {
    model: model(),
    frameSkip: 4,
    initialize: randomizeJoints,
    observe: (simulation) => ({
      position: simulation.qpos.subarray(1),
      velocity: simulation.qvel,
      touch: logTouch(simulation, ['touch_toe', 'touch_heel']),
    }),
    reward(simulation) {
      const inertial = simulation.array('xipos');
      const height = (part: string) => inertial[3 * simulation.id('body', part) + 2]!;
      const standing = tolerance(height('torso') - height('foot'), { lower: 0.6, upper: 2 });
      return standing * motion(simulation);
    },
  });

const model = () =>
  mjcf('planar hopper', {
    option: { timestep: 0.005 },
    defaults: {
      motor: { ctrllimited: true, ctrlrange: [-1, 1] },
      classes: {
        hopper: { joint: { axis: [0, 1, 0], limited: true, damping: 0.05, armature: 0.2 } },
        free: { joint: { limited: false } },
      },
    },
    world: [
      plane('floor', { pos: [48, 0, 0], size: [50, 1, 0.2] }),
      body(
        'torso',
        { pos: [0, 0, 1], childclass: 'hopper' },
        slide('rootx', { class: 'free', axis: [1, 0, 0] }),
        slide('rootz', { class: 'free', axis: [0, 0, 1] }),
        hinge('rooty', { class: 'free', axis: [0, 1, 0] }),
        capsule('torso', { fromto: [0, 0, -0.05, 0, 0, 0.2], size: 0.0653 }),
        capsule('nose', { fromto: [0.08, 0, 0.13, 0.15, 0, 0.14], size: 0.03 }),
        body(
          'pelvis',
          { pos: [0, 0, -0.05] },
          hinge('waist', { range: [-30, 30] }),
          capsule('pelvis', { fromto: [0, 0, 0, 0, 0, -0.15], size: 0.065 }),
          body(
            'thigh',
            { pos: [0, 0, -0.2] },
            hinge('hip', { range: [-170, 10] }),
            capsule('thigh', { fromto: [0, 0, 0, 0, 0, -0.33], size: 0.04 }),
            body(
              'calf',
              { pos: [0, 0, -0.33] },
              hinge('knee', { range: [5, 150] }),
              capsule('calf', { fromto: [0, 0, 0, 0, 0, -0.32], size: 0.03 }),
              body(
                'foot',
                { pos: [0, 0, -0.32] },
                hinge('ankle', { range: [-45, 45] }),
                capsule('foot', { fromto: [-0.08, 0, 0, 0.17, 0, 0], size: 0.04 }),
                site('touch_toe', { pos: [0.17, 0, 0], size: 0.05 }),
                site('touch_heel', { pos: [-0.08, 0, 0], size: 0.05 }),
              ),
            ),
          ),
        ),
      ),
    ],
    sensors: [
      sensor('subtreelinvel', 'torso_subtreelinvel', { body: 'torso' }),
      sensor('touch', 'touch_toe', { site: 'touch_toe' }),
      sensor('touch', 'touch_heel', { site: 'touch_heel' }),
    ],
    actuators: Object.entries({ waist: 30, hip: 40, knee: 30, ankle: 10 }).map(([joint, gear]) =>
      motor(joint, { joint, gear }),
    ),
  });
