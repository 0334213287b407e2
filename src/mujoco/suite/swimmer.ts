import {
  body,
  capsule,
  ellipsoid,
  geom,
  hinge,
  type MjcfElement,
  mjcf,
  motor,
  plane,
  sensor,
  site,
  slide,
  sphere,
} from '../mjcf.js';
import type { Simulation } from '../simulation.js';
import { difference, type NoOptions, randomizeJoints, suiteTask, toFrame } from './common.js';
import { tolerance } from './tolerance.js';

/** Swim with six links until the nose touches a target. */
export const swimmer6 = (options: NoOptions = {}) => swimmer('swimmer6', options, 6);
/** The same with fifteen links. */
export const swimmer15 = (options: NoOptions = {}) => swimmer('swimmer15', options, 15);

const TARGET = 0.1;

const swimmer = (name: string, options: NoOptions, links: number) =>
  suiteTask(`swimmer-${name}`, options, {
    model: model(links),
    frameSkip: 15,
    view: { from: 'top', span: 2 },
    modelState: ['geom_pos'],
    initialize(simulation, rng) {
      randomizeJoints(simulation, rng);
      const reach = rng.uniform() < 0.2 ? 0.3 : 2; // a close target now and then
      const target = simulation.model.geom_pos.subarray(3 * simulation.id('geom', 'target'));
      target.set([rng.uniform(-reach, reach), rng.uniform(-reach, reach)]);
    },
    observe: (simulation) => ({
      joints: simulation.qpos.subarray(3),
      to_target: noseToTarget(simulation),
      body_velocities: parts(links).flatMap((part) => {
        const [x, y] = simulation.sensor(`${part}_vel`);
        return [x!, y!, simulation.sensor(`${part}_gyro`)[2]!];
      }),
    }),
    reward: (simulation) =>
      tolerance(Math.hypot(...noseToTarget(simulation)), { upper: TARGET, margin: 5 * TARGET, shape: 'longTail' }),
  });

/** x and y from the nose to the target in the head's frame. */
function noseToTarget(simulation: Simulation): number[] {
  const way = difference(simulation.geomPosition('target'), simulation.geomPosition('nose'));
  return toFrame(way, simulation.bodyOrientation('head')).slice(0, 2);
}

/** The links, the head first. */
const parts = (links: number) => ['head', ...Array.from({ length: links - 1 }, (_, i) => `segment_${i}`)];

const model = (links: number) => {
  const root = { class: 'free', pos: [0, -0.05, 0] };
  const massless = { mass: 0 };
  return mjcf('swimmer', {
    option: { timestep: 0.002, density: 3000 },
    flags: { contact: 'disable' },
    defaults: {
      motor: { gear: 5e-4, ctrllimited: true, ctrlrange: [-1, 1] },
      classes: {
        swimmer: {
          joint: {
            ...{ type: 'hinge', pos: [0, -0.05, 0], axis: [0, 0, 1], limited: true, armature: 1e-6 },
            ...{ solreflimit: [0.05, 1], solimplimit: [0, 0.8, 0.1] },
          },
          site: { size: 0.01 },
          classes: {
            inertial: { geom: { type: 'box', size: [0.001, 0.05, 0.01], rgba: [0, 0, 0, 0], mass: 0.01 } },
            visual: { geom: { type: 'capsule', size: 0.01, fromto: [0, -0.05, 0, 0, 0.05, 0], mass: 0 } },
          },
        },
        free: { joint: { limited: false, stiffness: 0, armature: 0 } },
      },
    },
    world: [
      plane('ground', { size: [2.5, 2.5, 0.1] }),
      body(
        'head',
        { pos: [0, 0, 0.05], childclass: 'swimmer' },
        ellipsoid('head', { size: [0.02, 0.04, 0.017], pos: [0, -0.022, 0], ...massless }),
        sphere('nose', { pos: [0, -0.06, 0], size: 0.004, ...massless }),
        capsule('eyes', { fromto: [-0.006, -0.054, 0.005, 0.006, -0.054, 0.005], size: 0.004, ...massless }),
        slide('rootx', { ...root, axis: [1, 0, 0] }),
        slide('rooty', { ...root, axis: [0, 1, 0] }),
        hinge('rootz', { ...root, axis: [0, 0, 1] }),
        geom('inertial', { class: 'inertial' }),
        geom('visual', { class: 'visual' }),
        site('head'),
        segment(0, links),
      ),
      sphere('target', { pos: [1, 1, 0.05], size: TARGET }),
    ],
    sensors: [
      sensor('framepos', 'nose_pos', { objtype: 'geom', objname: 'nose' }),
      sensor('framepos', 'target_pos', { objtype: 'geom', objname: 'target' }),
      sensor('framexaxis', 'head_xaxis', { objtype: 'xbody', objname: 'head' }),
      sensor('frameyaxis', 'head_yaxis', { objtype: 'xbody', objname: 'head' }),
      ...parts(links).flatMap((part) => [
        sensor('velocimeter', `${part}_vel`, { site: part }),
        sensor('gyro', `${part}_gyro`, { site: part }),
      ]),
    ],
    actuators: Array.from({ length: links - 1 }, (_, i) => motor(`motor_${i}`, { joint: `joint_${i}` })),
  });
};

/** Link `index` behind the head, with those behind it. */
function segment(index: number, links: number): MjcfElement {
  const limit = 360 / links;
  return body(
    `segment_${index}`,
    { pos: [0, 0.1, 0] },
    geom(`visual_${index}`, { class: 'visual' }),
    geom(`inertial_${index}`, { class: 'inertial' }),
    site(`segment_${index}`),
    hinge(`joint_${index}`, { range: [-limit, limit] }),
    ...(index + 2 < links ? [segment(index + 1, links)] : []),
  );
}
