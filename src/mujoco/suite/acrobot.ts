import { body, capsule, cylinder, hinge, mjcf, motor, plane, site } from '../mjcf.js';
import { difference, type NoOptions, orientation, suiteTask } from './common.js';
import { tolerance } from './tolerance.js';

const ARMS = ['upper_arm', 'lower_arm'] as const;

/** Bring the tip of two links up to a target, driven at the elbow only. */
export const acrobotSwingup = (options: NoOptions = {}) => acrobot('swingup', options, 1);
/** The same, rewarded inside the target only. */
export const acrobotSwingupSparse = (options: NoOptions = {}) => acrobot('swingup_sparse', options, 0);

const acrobot = (name: string, options: NoOptions, margin: number) =>
  suiteTask(`acrobot-${name}`, options, {
    model: model(),
    frameSkip: 1,
    view: { center: [0, 0, 1.9], span: 5, sites: ['target'] },
    initialize({ qpos }, rng) {
      qpos.set([rng.uniform(-Math.PI, Math.PI), rng.uniform(-Math.PI, Math.PI)]);
    },
    observe: (simulation) => ({
      orientations: (['xz', 'zz'] as const).flatMap((entry) => ARMS.map((arm) => orientation(simulation, arm, entry))),
      velocity: simulation.qvel,
    }),
    reward(simulation) {
      const way = difference(simulation.sitePosition('target'), simulation.sitePosition('tip'));
      return tolerance(Math.hypot(...way), { upper: 0.2, margin });
    },
  });

const model = () =>
  mjcf('acrobot', {
    option: { timestep: 0.01, integrator: 'RK4' },
    flags: { constraint: 'disable', energy: 'enable' },
    defaults: { joint: { damping: 0.05 }, geom: { mass: 1 } },
    world: [
      plane('floor', { size: [3, 3, 0.2] }),
      site('target', { pos: [0, 0, 4], size: 0.2 }),
      body(
        'upper_arm',
        { pos: [0, 0, 2] },
        hinge('shoulder', { axis: [0, 1, 0] }),
        cylinder('upper_arm_decoration', { fromto: [0, -0.06, 0, 0, 0.06, 0], size: 0.051, mass: 0 }),
        capsule('upper_arm', { fromto: [0, 0, 0, 0, 0, 1], size: 0.05 }),
        body(
          'lower_arm',
          { pos: [0, 0, 1] },
          hinge('elbow', { axis: [0, 1, 0] }),
          capsule('lower_arm', { fromto: [0, 0, 0, 0, 0, 1], size: 0.049 }),
          site('tip', { pos: [0, 0, 1], size: 0.01 }),
        ),
      ),
    ],
    actuators: [motor('elbow', { joint: 'elbow', gear: 2, ctrllimited: true, ctrlrange: [-1, 1] })],
  });
