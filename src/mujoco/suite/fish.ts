import type { Rng } from '../../rng/rng.js';
import {
  body,
  box,
  capsule,
  ellipsoid,
  fixedTendon,
  hinge,
  joint,
  mjcf,
  plane,
  position,
  sensor,
  site,
  sphere,
} from '../mjcf.js';
import type { Simulation } from '../simulation.js';
import { difference, type NoOptions, orientation, randomQuaternion, suiteTask, toFrame } from './common.js';
import { tolerance } from './tolerance.js';

/** Radii of target and mouth. */
const REACH = 0.04 + 0.005;

/** Swim to a target and stay upright. */
export const fishSwim = (options: NoOptions = {}) =>
  suiteTask('fish-swim', options, {
    model: model(),
    frameSkip: 10,
    view: { from: 'diagonal', span: 1 },
    modelState: ['geom_pos'],
    initialize(simulation, rng) {
      turnAnyhow(simulation, rng);
      const target = [rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4), rng.uniform(0.1, 0.3)];
      simulation.model.geom_pos.set(target, 3 * simulation.id('geom', 'target'));
    },
    observe: (simulation) => ({
      joint_angles: simulation.qpos.subarray(7),
      upright: orientation(simulation, 'torso', 'zz'),
      target: toFrame(mouthToTarget(simulation), mouthFrame(simulation)),
      velocity: simulation.qvel,
    }),
    reward(simulation) {
      const inTarget = tolerance(Math.hypot(...mouthToTarget(simulation)), { upper: REACH, margin: 2 * REACH });
      const upright = (orientation(simulation, 'torso', 'zz') + 1) / 2;
      return (7 * inTarget + upright) / 8;
    },
  });

/** Turn upright. */
export const fishUpright = (options: NoOptions = {}) =>
  suiteTask('fish-upright', options, {
    model: model(),
    frameSkip: 10,
    view: { from: 'diagonal', span: 0.6 },
    initialize: turnAnyhow,
    observe: (simulation) => ({
      joint_angles: simulation.qpos.subarray(7),
      upright: orientation(simulation, 'torso', 'zz'),
      velocity: simulation.qvel,
    }),
    reward: (simulation) => tolerance(orientation(simulation, 'torso', 'zz'), { lower: 1, upper: 1, margin: 1 }),
  });

function turnAnyhow({ qpos }: Simulation, rng: Rng): void {
  qpos.set(randomQuaternion(rng), 3);
  for (let i = 7; i < qpos.length; i++) qpos[i] = rng.uniform(-0.2, 0.2);
}

function mouthToTarget(simulation: Simulation): Float64Array {
  return difference(simulation.geomPosition('target'), simulation.geomPosition('mouth'));
}

function mouthFrame(simulation: Simulation): Float64Array {
  const mouth = 9 * simulation.id('geom', 'mouth');
  return simulation.array('geom_xmat').subarray(mouth, mouth + 9);
}

const model = () => {
  const massless = { mass: 0 };
  const fin = (side: 'left' | 'right', sign: number) =>
    body(
      `fin${side}`,
      { pos: [0.01 * sign, 0, 0] },
      hinge(`fin${side}_roll`, { axis: [0, 1, 0] }),
      hinge(`fin${side}_pitch`, { axis: [1, 0, 0], pos: [0, 0.005, 0] }),
      ellipsoid(`fin${side}`, { pos: [0.015 * sign, 0, 0], size: [0.02, 0.015, 0.001] }),
    );
  return mjcf('fish', {
    option: { timestep: 0.004, density: 5000 },
    flags: { gravity: 'disable', constraint: 'disable' },
    defaults: {
      position: { ctrllimited: true, ctrlrange: [-1, 1] },
      classes: {
        fish: {
          joint: {
            ...{ limited: false, range: [-60, 60], damping: 2e-5 },
            ...{ solreflimit: [0.1, 1], solimplimit: [0, 0.8, 0.1] },
          },
        },
      },
    },
    world: [
      plane('ground', { size: [0.5, 0.5, 0.1] }),
      sphere('target', { pos: [0, 0.4, 0.1], size: 0.04 }),
      body(
        'torso',
        { pos: [0, 0, 0.1], childclass: 'fish' },
        joint('root', { type: 'free', damping: 0, limited: false }),
        ellipsoid('eye', { pos: [0, 0.055, 0.015], euler: [-10, 0, 0], size: [0.008, 0.012, 0.008], ...massless }),
        capsule('mouth', { fromto: [0, 0.079, 0, 0, 0.07, 0], size: 0.005, ...massless }),
        capsule('lower_mouth', { fromto: [0, 0.079, -0.004, 0, 0.07, -0.003], size: 0.0045, ...massless }),
        ellipsoid('torso', { size: [0.01, 0.08, 0.04], ...massless }),
        ellipsoid('back_fin', { pos: [0, -0.03, 0.03], size: [0.001, 0.03, 0.015], ...massless }),
        box('torso_massive', { size: [0.002, 0.06, 0.03] }),
        site('torso', { size: 0.01 }),
        body(
          'tail1',
          { pos: [0, -0.09, 0] },
          hinge('tail1', { axis: [0, 0, 1], pos: [0, 0.01, 0] }),
          hinge('tail_twist', { axis: [0, 1, 0], pos: [0, 0.01, 0] }),
          ellipsoid('tail1', { size: [0.001, 0.008, 0.016] }),
          body(
            'tail2',
            { pos: [0, -0.028, 0] },
            hinge('tail2', { axis: [0, 0, 1], pos: [0, 0.02, 0], stiffness: 8e-5 }),
            ellipsoid('tail2', { size: [0.001, 0.018, 0.035] }),
          ),
        ),
        fin('right', 1),
        fin('left', -1),
      ),
    ],
    tendons: [
      fixedTendon('fins_flap', { finleft_roll: -0.5, finright_roll: 0.5 }),
      fixedTendon('fins_sym', { finleft_roll: 0.5, finright_roll: 0.5 }, { stiffness: 1e-4 }),
    ],
    sensors: [sensor('velocimeter', 'velocimeter', { site: 'torso' }), sensor('gyro', 'gyro', { site: 'torso' })],
    actuators: [
      position('tail', { joint: 'tail1', kp: 5e-4 }),
      position('tail_twist', { joint: 'tail_twist', kp: 1e-4 }),
      position('fins_flap', { tendon: 'fins_flap', kp: 3e-4 }),
      position('finleft_pitch', { joint: 'finleft_pitch', kp: 1e-4 }),
      position('finright_pitch', { joint: 'finright_pitch', kp: 1e-4 }),
    ],
  });
};
