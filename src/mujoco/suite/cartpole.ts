import type { Rng } from '../../rng/rng.js';
import { body, box, capsule, hinge, type MjcfElement, mjcf, motor, plane, slide } from '../mjcf.js';
import type { Simulation } from '../simulation.js';
import { type NoOptions, orientation, smallControl, suiteTask } from './common.js';
import { tolerance } from './tolerance.js';

/** Swing a pole up and balance it on a cart, smoothly and near the middle. */
export const cartpoleSwingup = (options: NoOptions = {}) => cartpole('swingup', options, { poles: 1 });
/** Two poles, one on top of the other. */
export const cartpoleTwoPoles = (options: NoOptions = {}) => cartpole('two_poles', options, { poles: 2 });
/** Three poles, one on top of the other. */
export const cartpoleThreePoles = (options: NoOptions = {}) => cartpole('three_poles', options, { poles: 3 });
/** Swing the pole up; 1 while it is upright and the cart near the middle, else 0. */
export const cartpoleSwingupSparse = (options: NoOptions = {}) =>
  cartpole('swingup_sparse', options, { poles: 1, reward: balanced });
/** Keep the pole upright from the start. */
export const cartpoleBalance = (options: NoOptions = {}) => cartpole('balance', options, { poles: 1, start: upright });
/** The same; 1 while it is upright and the cart near the middle, else 0. */
export const cartpoleBalanceSparse = (options: NoOptions = {}) =>
  cartpole('balance_sparse', options, { poles: 1, start: upright, reward: balanced });

interface Kind {
  poles: number;
  start?(simulation: Simulation, rng: Rng): void;
  reward?(simulation: Simulation): number;
}

const cartpole = (name: string, options: NoOptions, { poles, start = hanging, reward = smooth }: Kind) =>
  suiteTask(`cartpole-${name}`, options, {
    model: model(poles),
    frameSkip: 1,
    view: { center: [0, 0, 1.1], span: 0.8 + 2 * poles },
    initialize(simulation, rng) {
      const { qvel } = simulation;
      start(simulation, rng);
      for (let i = 0; i < qvel.length; i++) qvel[i] = rng.normal(0, 0.01);
    },
    observe: (simulation) => ({
      position: [
        simulation.qpos[0]!,
        ...names(simulation).flatMap((pole) => [
          orientation(simulation, pole, 'zz'),
          orientation(simulation, pole, 'xz'),
        ]),
      ],
      velocity: simulation.qvel,
    }),
    reward,
  });

function hanging({ qpos }: Simulation, rng: Rng): void {
  qpos.set([rng.normal(0, 0.01), rng.normal(Math.PI, 0.01)]);
  for (let i = 2; i < qpos.length; i++) qpos[i] = rng.normal(0, 0.1);
}

function upright({ qpos }: Simulation, rng: Rng): void {
  qpos[0] = rng.uniform(-0.1, 0.1);
  for (let i = 1; i < qpos.length; i++) qpos[i] = rng.uniform(-0.034, 0.034);
}

function smooth(simulation: Simulation): number {
  const { qpos, qvel } = simulation;
  const heights = names(simulation).map((pole) => (orientation(simulation, pole, 'zz') + 1) / 2);
  const upright = heights.reduce((sum, value) => sum + value) / heights.length;
  const centered = (1 + tolerance(qpos[0]!, { margin: 2 })) / 2;
  const slow = Math.min(...Array.from(qvel.subarray(1), (velocity) => tolerance(velocity, { margin: 5 })));
  return upright * centered * smallControl(simulation) * ((1 + slow) / 2);
}

function balanced(simulation: Simulation): number {
  const isCentered = tolerance(simulation.qpos[0]!, { lower: -0.25, upper: 0.25 });
  const areUpright = names(simulation).map((pole) =>
    tolerance(orientation(simulation, pole, 'zz'), { lower: 0.995, upper: 1 }),
  );
  return areUpright.reduce((product, value) => product * value, isCentered);
}

/** Names of the poles, the lowest first. */
function names({ model }: Simulation): string[] {
  return Array.from({ length: model.njnt - 1 }, (_, i) => `pole_${i + 1}`);
}

const model = (poles: number) =>
  mjcf('cart-pole', {
    option: { timestep: 0.01, integrator: 'RK4' },
    flags: { contact: 'disable', energy: 'enable' },
    world: [
      plane('floor', { pos: [0, 0, poles === 1 ? -0.05 : 0.95 - poles], size: [4, 4, 0.2] }),
      capsule('rail1', { pos: [0, 0.07, 1], zaxis: [1, 0, 0], size: [0.02, 2] }),
      capsule('rail2', { pos: [0, -0.07, 1], zaxis: [1, 0, 0], size: [0.02, 2] }),
      body(
        'cart',
        { pos: [0, 0, 1] },
        slide('slider', {
          ...{ axis: [1, 0, 0], limited: true, range: [-1.8, 1.8], solreflimit: [0.08, 1], damping: 5e-4 },
        }),
        box('cart', { size: [0.2, 0.15, 0.1], mass: 1 }),
        pole(1, poles),
      ),
    ],
    actuators: [motor('slide', { joint: 'slider', gear: 10, ctrllimited: true, ctrlrange: [-1, 1] })],
  });

/** Pole `index` of `count`, with those above it. */
function pole(index: number, count: number): MjcfElement {
  return body(
    `pole_${index}`,
    index > 1 ? { pos: [0, 0, 1] } : {},
    hinge(`hinge_${index}`, { axis: [0, 1, 0], damping: 2e-6 }),
    capsule(`pole_${index}`, { fromto: [0, 0, 0, 0, 0, 1], size: 0.045, mass: 0.1 }),
    ...(index < count ? [pole(index + 1, count)] : []),
  );
}
