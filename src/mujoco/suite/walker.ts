import { body, capsule, hinge, type MjcfElement, mjcf, motor, plane, sensor, slide } from '../mjcf.js';
import type { Simulation } from '../simulation.js';
import { type NoOptions, orientation, randomizeJoints, suiteTask } from './common.js';
import { tolerance } from './tolerance.js';

const BODIES = ['torso', 'right_thigh', 'right_leg', 'right_foot', 'left_thigh', 'left_leg', 'left_foot'];

/** Stand upright. */
export const walkerStand = (options: NoOptions = {}) => walker('stand', options, standing);
/** Walk at 1 m/s or more. */
export const walkerWalk = (options: NoOptions = {}) => walker('walk', options, moving(1));
/** Run; full reward from 8 m/s on. */
export const walkerRun = (options: NoOptions = {}) => walker('run', options, moving(8));

function walker(name: string, options: NoOptions, reward: (simulation: Simulation) => number) {
  return suiteTask(`walker-${name}`, options, {
    model: model(),
    frameSkip: 10,
    initialize: randomizeJoints,
    observe: (simulation) => ({
      orientations: BODIES.flatMap((part) => [
        orientation(simulation, part, 'xx'),
        orientation(simulation, part, 'xz'),
      ]),
      height: simulation.bodyPosition('torso')[2]!,
      velocity: simulation.qvel,
    }),
    reward,
  });
}

function standing(simulation: Simulation): number {
  const height = simulation.bodyPosition('torso')[2]!;
  const upright = (1 + orientation(simulation, 'torso', 'zz')) / 2;
  return (3 * tolerance(height, { lower: 1.2, upper: Infinity, margin: 0.6 }) + upright) / 4;
}

const moving = (speed: number) => (simulation: Simulation) => {
  const move = tolerance(simulation.sensor('torso_subtreelinvel')[0]!, {
    ...{ lower: speed, upper: Infinity, margin: speed / 2, shape: 'linear', valueAtMargin: 0.5 },
  });
  return (standing(simulation) * (5 * move + 1)) / 6;
};

function leg(side: 'left' | 'right', y: number): MjcfElement {
  return body(
    `${side}_thigh`,
    { pos: [0, y, -0.3] },
    hinge(`${side}_hip`, { range: [-20, 100] }),
    capsule(`${side}_thigh`, { pos: [0, 0, -0.225], size: [0.05, 0.225] }),
    body(
      `${side}_leg`,
      { pos: [0, 0, -0.7] },
      hinge(`${side}_knee`, { pos: [0, 0, 0.25], range: [-150, 0] }),
      capsule(`${side}_leg`, { size: [0.04, 0.25] }),
      body(
        `${side}_foot`,
        { pos: [0.06, 0, -0.25] },
        hinge(`${side}_ankle`, { pos: [-0.06, 0, 0], range: [-45, 45] }),
        capsule(`${side}_foot`, { zaxis: [1, 0, 0], size: [0.05, 0.1] }),
      ),
    ),
  );
}

const model = () => {
  const free = { limited: false, damping: 0, armature: 0 };
  return mjcf('walker', {
    option: { timestep: 0.0025 },
    defaults: {
      joint: { axis: [0, -1, 0], armature: 0.01, damping: 0.1, limited: true, solimplimit: [0, 0.99, 0.01] },
      geom: { conaffinity: 0, friction: [0.7, 0.1, 0.1] },
      motor: { ctrllimited: true, ctrlrange: [-1, 1] },
    },
    world: [
      plane('floor', { pos: [248, 0, 0], size: [250, 0.8, 0.2], conaffinity: 1 }),
      body(
        'torso',
        { pos: [0, 0, 1.3] },
        slide('rootz', { axis: [0, 0, 1], ...free }),
        slide('rootx', { axis: [1, 0, 0], ...free }),
        hinge('rooty', { axis: [0, 1, 0], ...free }),
        capsule('torso', { size: [0.07, 0.3] }),
        leg('right', -0.05),
        leg('left', 0.05),
      ),
    ],
    sensors: [sensor('subtreelinvel', 'torso_subtreelinvel', { body: 'torso' })],
    actuators: ['right', 'left'].flatMap((side) =>
      Object.entries({ hip: 100, knee: 50, ankle: 20 }).map(([part, gear]) =>
        motor(`${side}_${part}`, { joint: `${side}_${part}`, gear }),
      ),
    ),
  });
};
