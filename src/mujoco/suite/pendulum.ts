import { body, capsule, cylinder, hinge, mjcf, motor, plane, sphere } from '../mjcf.js';
import { type NoOptions, orientation, suiteTask } from './common.js';
import { tolerance } from './tolerance.js';

const DEGREE = Math.PI / 180;

/** Swing a pole up with a weak motor; rewarded within 8 degrees of upright. */
export const pendulumSwingup = (options: NoOptions = {}) =>
  suiteTask('pendulum-swingup', options, {
    model: model(),
    frameSkip: 1,
    view: { center: [0, 0, 0.6], span: 1.5 },
    initialize({ qpos }, rng) {
      qpos[0] = rng.uniform(-Math.PI, Math.PI);
    },
    observe: (simulation) => ({
      orientation: [orientation(simulation, 'pole', 'zz'), orientation(simulation, 'pole', 'xz')],
      velocity: simulation.qvel,
    }),
    reward: (simulation) => tolerance(orientation(simulation, 'pole', 'zz'), { lower: Math.cos(8 * DEGREE), upper: 1 }),
  });

const model = () =>
  mjcf('pendulum', {
    option: { timestep: 0.02 },
    flags: { contact: 'disable', energy: 'enable' },
    world: [
      plane('floor', { size: [2, 2, 0.2] }),
      body(
        'pole',
        { pos: [0, 0, 0.6] },
        hinge('hinge', { axis: [0, 1, 0], damping: 0.1 }),
        cylinder('base', { fromto: [0, -0.03, 0, 0, 0.03, 0], size: 0.021, mass: 0 }),
        capsule('pole', { fromto: [0, 0, 0, 0, 0, 0.5], size: 0.02, mass: 0 }),
        sphere('mass', { pos: [0, 0, 0.5], size: 0.05, mass: 1 }),
      ),
    ],
    actuators: [motor('torque', { joint: 'hinge', ctrllimited: true, ctrlrange: [-1, 1] })],
  });
