import { body, box, capsule, hinge, mjcf, motor, plane, slide } from '../mjcf.js';
import { type NoOptions, orientation, suiteTask } from './common.js';
import { tolerance } from './tolerance.js';

/** Swing a pole up and balance it on a cart, smoothly and near the middle. */
export const cartpoleSwingup = (options: NoOptions = {}) =>
  suiteTask('cartpole-swingup', options, {
    model: model(),
    frameSkip: 1,
    view: { center: [0, 0, 1.1], span: 2.8 },
    initialize({ qpos, qvel }, rng) {
      qpos.set([rng.normal(0, 0.01), rng.normal(Math.PI, 0.01)]);
      qvel.set([rng.normal(0, 0.01), rng.normal(0, 0.01)]);
    },
    observe: (simulation) => ({
      position: [simulation.qpos[0]!, orientation(simulation, 'pole_1', 'zz'), orientation(simulation, 'pole_1', 'xz')],
      velocity: simulation.qvel,
    }),
    reward(simulation) {
      const upright = (orientation(simulation, 'pole_1', 'zz') + 1) / 2;
      const centered = (1 + tolerance(simulation.qpos[0]!, { margin: 2 })) / 2;
      const control = tolerance(simulation.ctrl[0]!, { margin: 1, shape: 'quadratic', valueAtMargin: 0 });
      const velocity = tolerance(simulation.qvel[1]!, { margin: 5 });
      return upright * centered * ((4 + control) / 5) * ((1 + velocity) / 2);
    },
  });

const model = () =>
  mjcf('cart-pole', {
    option: { timestep: 0.01, integrator: 'RK4' },
    flags: { contact: 'disable', energy: 'enable' },
    world: [
      plane('floor', { pos: [0, 0, -0.05], size: [4, 4, 0.2] }),
      capsule('rail1', { pos: [0, 0.07, 1], zaxis: [1, 0, 0], size: [0.02, 2] }),
      capsule('rail2', { pos: [0, -0.07, 1], zaxis: [1, 0, 0], size: [0.02, 2] }),
      body(
        'cart',
        { pos: [0, 0, 1] },
        slide('slider', {
          ...{ axis: [1, 0, 0], limited: true, range: [-1.8, 1.8], solreflimit: [0.08, 1], damping: 5e-4 },
        }),
        box('cart', { size: [0.2, 0.15, 0.1], mass: 1 }),
        body(
          'pole_1',
          {},
          hinge('hinge_1', { axis: [0, 1, 0], damping: 2e-6 }),
          capsule('pole_1', { fromto: [0, 0, 0, 0, 0, 1], size: 0.045, mass: 0.1 }),
        ),
      ),
    ],
    actuators: [motor('slide', { joint: 'slider', gear: 10, ctrllimited: true, ctrlrange: [-1, 1] })],
  });
