import { body, capsule, cylinder, hinge, mjcf, motor, plane, sphere } from '../mjcf.js';
import type { Simulation } from '../simulation.js';
import { walls } from './arena.js';
import { difference, type NoOptions, randomizeJoints, suiteTask } from './common.js';

/** Bring the tip of a two-link arm to a target of radius 0.05; 1 while it touches it. */
export const reacherEasy = (options: NoOptions = {}) => reacher('easy', options, 0.05);
/** The same with a target of radius 0.015. */
export const reacherHard = (options: NoOptions = {}) => reacher('hard', options, 0.015);

const FINGER = 0.01;

const reacher = (name: string, options: NoOptions, radius: number) =>
  suiteTask(`reacher-${name}`, options, {
    model: model(radius),
    frameSkip: 1,
    view: { from: 'top', span: 0.7 },
    modelState: ['geom_pos'],
    initialize(simulation, rng) {
      randomizeJoints(simulation, rng);
      const angle = rng.uniform(0, 2 * Math.PI);
      const distance = rng.uniform(0.05, 0.2);
      const target = simulation.model.geom_pos.subarray(3 * simulation.id('geom', 'target'));
      target.set([distance * Math.sin(angle), distance * Math.cos(angle)]);
    },
    observe: (simulation) => ({
      position: simulation.qpos,
      to_target: toTarget(simulation),
      velocity: simulation.qvel,
    }),
    reward: (simulation) => (Math.hypot(...toTarget(simulation)) <= radius + FINGER ? 1 : 0),
  });

/** x and y from the finger to the target. */
function toTarget(simulation: Simulation): Float64Array {
  return difference(simulation.geomPosition('target'), simulation.geomPosition('finger')).subarray(0, 2);
}

const model = (radius: number) =>
  mjcf('two-link planar reacher', {
    option: { timestep: 0.02 },
    flags: { contact: 'disable' },
    defaults: {
      joint: { axis: [0, 0, 1], damping: 0.01 },
      motor: { gear: 0.05, ctrlrange: [-1, 1], ctrllimited: true },
    },
    world: [
      plane('ground', { size: [0.625, 0.625, 10] }),
      ...walls(),
      cylinder('root', { fromto: [0, 0, 0, 0, 0, 0.02], size: 0.011 }),
      body(
        'arm',
        { pos: [0, 0, 0.01] },
        capsule('arm', { fromto: [0, 0, 0, 0.12, 0, 0], size: 0.01 }),
        hinge('shoulder'),
        body(
          'hand',
          { pos: [0.12, 0, 0] },
          capsule('hand', { fromto: [0, 0, 0, 0.1, 0, 0], size: 0.01 }),
          hinge('wrist', { limited: true, range: [-160, 160] }),
          body('finger', { pos: [0.12, 0, 0] }, sphere('finger', { size: FINGER })),
        ),
      ),
      sphere('target', { pos: [0, 0, 0.01], size: radius }),
    ],
    actuators: [motor('shoulder', { joint: 'shoulder' }), motor('wrist', { joint: 'wrist' })],
  });
