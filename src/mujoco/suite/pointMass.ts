import type { Rng } from '../../rng/rng.js';
import { body, fixedTendon, mjcf, motor, plane, slide, sphere } from '../mjcf.js';
import type { Simulation } from '../simulation.js';
import { walls } from './arena.js';
import { difference, type NoOptions, normalized, randomizeJoints, smallControl, suiteTask } from './common.js';
import { tolerance } from './tolerance.js';

/** Push a mass to the middle, one control along x and one along y. */
export const pointMassEasy = (options: NoOptions = {}) => pointMass('easy', options, () => {});
/** The same, but each control pushes in a direction that is drawn anew for every episode and not shown. */
export const pointMassHard = (options: NoOptions = {}) => pointMass('hard', options, drawDirections);

const TARGET = 0.015;

const pointMass = (name: string, options: NoOptions, prepare: (simulation: Simulation, rng: Rng) => void) =>
  suiteTask(`point_mass-${name}`, options, {
    model: model(),
    frameSkip: 1,
    view: { from: 'top', span: 0.7 },
    modelState: ['wrap_prm'],
    initialize(simulation, rng) {
      randomizeJoints(simulation, rng);
      prepare(simulation, rng);
    },
    observe: ({ qpos, qvel }) => ({ position: qpos, velocity: qvel }),
    reward(simulation) {
      const way = difference(simulation.geomPosition('target'), simulation.geomPosition('pointmass'));
      const near = tolerance(Math.hypot(...way), { upper: TARGET, margin: TARGET });
      return near * smallControl(simulation);
    },
  });

/** Two unit vectors, not too parallel. */
function drawDirections({ model }: Simulation, rng: Rng): void {
  const draw = () => normalized([rng.normal(), rng.normal()]) as [number, number];
  const first = draw();
  let second = draw();
  while (Math.abs(first[0] * second[0] + first[1] * second[1]) > 0.9) second = draw();
  model.wrap_prm.set([...first, ...second]);
}

const model = () =>
  mjcf('planar point mass', {
    option: { timestep: 0.02 },
    flags: { contact: 'disable' },
    defaults: {
      joint: { limited: true, range: [-0.29, 0.29], damping: 1 },
      motor: { gear: 0.1, ctrlrange: [-1, 1], ctrllimited: true },
    },
    world: [
      plane('ground', { size: [0.3, 0.3, 0.1] }),
      ...walls(),
      body(
        'pointmass',
        { pos: [0, 0, 0.01] },
        slide('root_x', { axis: [1, 0, 0] }),
        slide('root_y', { axis: [0, 1, 0] }),
        sphere('pointmass', { size: 0.01, mass: 0.3 }),
      ),
      sphere('target', { pos: [0, 0, 0.01], size: TARGET }),
    ],
    tendons: [fixedTendon('t1', { root_x: 1, root_y: 0 }), fixedTendon('t2', { root_x: 0, root_y: 1 })],
    actuators: [motor('t1', { tendon: 't1' }), motor('t2', { tendon: 't2' })],
  });
