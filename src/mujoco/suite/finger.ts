import { body, capsule, cylinder, hinge, mjcf, motor, plane, sensor, site } from '../mjcf.js';
import type { Simulation } from '../simulation.js';
import { drawWithoutContact, logTouch, type NoOptions, randomizeJoints, suiteTask } from './common.js';

/** Distance of the spinner's tip from its hinge: half-length and radius of its capsule. */
const SPINNER_LENGTH = 0.09 + 0.04;

/** Turn a spinner by pushing it until its tip lies in a target of radius 0.03; 1 while it does. */
export const fingerTurnHard = (options: NoOptions = {}) => fingerTurn('turn_hard', options, 0.03);
/** The same with a target of radius 0.07. */
export const fingerTurnEasy = (options: NoOptions = {}) => fingerTurn('turn_easy', options, 0.07);

const fingerTurn = (name: string, options: NoOptions, radius: number) =>
  suiteTask(`finger-${name}`, options, {
    model: model({ targetRadius: radius, spinnerDamping: 0.5 }),
    frameSkip: 2,
    view: { sites: ['target'] },
    modelState: ['site_pos'],
    initialize(simulation, rng) {
      const angle = rng.uniform(-Math.PI, Math.PI);
      const [x, , z] = simulation.bodyPosition('spinner');
      const target = simulation.model.site_pos.subarray(3 * simulation.id('site', 'target'));
      target[0] = x! + SPINNER_LENGTH * Math.sin(angle);
      target[2] = z! + SPINNER_LENGTH * Math.cos(angle);
      drawWithoutContact(simulation, () => randomizeJoints(simulation, rng));
    },
    observe: (simulation) => ({
      ...touchAndMotion(simulation),
      target_position: seen(simulation, 'target'),
      dist_to_target: distanceToTarget(simulation),
    }),
    reward: (simulation) => (distanceToTarget(simulation) <= 0 ? 1 : 0),
  });

/** Keep the spinner turning at 15 rad/s or more; 1 while it does. */
export const fingerSpin = (options: NoOptions = {}) =>
  suiteTask('finger-spin', options, {
    model: model({ targetRadius: 0.03, spinnerDamping: 0.03 }),
    frameSkip: 2,
    initialize: (simulation, rng) => drawWithoutContact(simulation, () => randomizeJoints(simulation, rng)),
    observe: touchAndMotion,
    reward: (simulation) => (simulation.sensor('hinge_velocity')[0]! <= -15 ? 1 : 0),
  });

function touchAndMotion(simulation: Simulation) {
  return {
    position: [...simulation.sensor('proximal'), ...simulation.sensor('distal'), ...seen(simulation, 'tip')],
    velocity: ['proximal', 'distal', 'hinge'].map((joint) => simulation.sensor(`${joint}_velocity`)[0]!),
    touch: logTouch(simulation, ['touchtop', 'touchbottom']),
  };
}

/** x and z of a site as its sensor gives it, from the spinner. */
function seen(simulation: Simulation, name: 'tip' | 'target'): [number, number] {
  const place = simulation.sensor(name);
  const spinner = simulation.sensor('spinner');
  return [place[0]! - spinner[0]!, place[2]! - spinner[2]!];
}

function distanceToTarget(simulation: Simulation): number {
  const tip = seen(simulation, 'tip');
  const target = seen(simulation, 'target');
  const radius = simulation.model.site_size[3 * simulation.id('site', 'target')];
  return Math.hypot(target[0] - tip[0], target[1] - tip[1]) - radius;
}

const model = ({ targetRadius, spinnerDamping }: { targetRadius: number; spinnerDamping: number }) => {
  const touch = { type: 'ellipsoid', size: [0.025, 0.03, 0.025] } as const;
  const driven = { limited: true, damping: 2.5, range: [-110, 110] };
  return mjcf('finger', {
    option: { timestep: 0.01, cone: 'elliptic', iterations: 200 },
    flags: { gravity: 'disable' },
    defaults: {
      geom: { solimp: [0, 0.9, 0.01] },
      joint: { axis: [0, -1, 0] },
      motor: { ctrllimited: true, ctrlrange: [-1, 1] },
    },
    world: [
      plane('ground', { size: [0.6, 0.2, 10] }),
      site('target', { pos: [0, 0, 0.4], size: targetRadius }),
      body(
        'proximal',
        { pos: [-0.2, 0, 0.4] },
        hinge('proximal', { ...driven, ref: -90 }),
        cylinder('proximal_decoration', { fromto: [0, -0.033, 0, 0, 0.033, 0], size: 0.034 }),
        capsule('proximal', { fromto: [0, 0, 0, 0, 0, -0.17], size: 0.03 }),
        body(
          'distal',
          { pos: [0, 0, -0.18] },
          hinge('distal', driven),
          capsule('distal', { fromto: [0, 0, 0, 0, 0, -0.16], size: 0.028, contype: 0, conaffinity: 0 }),
          capsule('fingertip', { fromto: [0, 0, -0.13, 0, 0, -0.161], size: 0.03 }),
          site('touchtop', { pos: [0.01, 0, -0.17], ...touch }),
          site('touchbottom', { pos: [-0.01, 0, -0.17], ...touch }),
        ),
      ),
      body(
        'spinner',
        { pos: [0.2, 0, 0.4] },
        hinge('hinge', { frictionloss: 0.1, damping: spinnerDamping }),
        capsule('cap1', { pos: [0.02, 0, 0], size: [0.04, 0.09] }),
        capsule('cap2', { pos: [-0.02, 0, 0], size: [0.04, 0.09] }),
        cylinder('spinner_decoration', { fromto: [0, -0.045, 0, 0, 0.045, 0], size: 0.02 }),
        site('tip', { pos: [0, 0, 0.13], size: 0.02 }),
      ),
    ],
    sensors: [
      ...['proximal', 'distal'].map((joint) => sensor('jointpos', joint, { joint })),
      ...['proximal', 'distal', 'hinge'].map((joint) => sensor('jointvel', `${joint}_velocity`, { joint })),
      ...['tip', 'target'].map((name) => sensor('framepos', name, { objtype: 'site', objname: name })),
      sensor('framepos', 'spinner', { objtype: 'xbody', objname: 'spinner' }),
      ...['touchtop', 'touchbottom'].map((name) => sensor('touch', name, { site: name })),
      ...['touchtop', 'touchbottom'].map((name) =>
        sensor('framepos', `${name}_pos`, { objtype: 'site', objname: name }),
      ),
    ],
    actuators: [motor('proximal', { joint: 'proximal', gear: 30 }), motor('distal', { joint: 'distal', gear: 15 })],
  });
};
