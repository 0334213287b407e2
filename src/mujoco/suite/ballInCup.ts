import { body, capsule, mjcf, motor, plane, site, slide, spatialTendon, sphere } from '../mjcf.js';
import { drawWithoutContact, type NoOptions, suiteTask } from './common.js';

/** Half the target's size less the ball's radius. */
const REACH = 0.05 - 0.025;

/** Catch a ball that hangs on a string in a cup; 1 while it is inside. */
export const ballInCupCatch = (options: NoOptions = {}) =>
  suiteTask('ball_in_cup-catch', options, {
    model: model(),
    frameSkip: 10,
    initialize(simulation, rng) {
      drawWithoutContact(simulation, () => {
        simulation.qpos.set([rng.uniform(-0.2, 0.2), rng.uniform(0.2, 0.5)], 2);
      });
    },
    observe: ({ qpos, qvel }) => ({ position: qpos, velocity: qvel }),
    reward(simulation) {
      const target = simulation.sitePosition('target');
      const ball = simulation.bodyPosition('ball');
      return Math.abs(target[0]! - ball[0]!) < REACH && Math.abs(target[2]! - ball[2]!) < REACH ? 1 : 0;
    },
  });

/** The corners of the cup's outline, x and z. */
const OUTLINE = [
  [-0.05, 0],
  [-0.05, -0.075],
  [-0.025, -0.1],
  [0.025, -0.1],
  [0.05, -0.075],
  [0.05, 0],
] as const;

const model = () =>
  mjcf('ball in cup', {
    defaults: {
      motor: { ctrllimited: true, ctrlrange: [-1, 1], gear: 5 },
      classes: { cup: { joint: { damping: 3, stiffness: 20 } } },
    },
    world: [
      plane('ground', { size: [0.6, 0.2, 10] }),
      body(
        'cup',
        { pos: [0, 0, 0.6], childclass: 'cup' },
        slide('cup_x', { axis: [1, 0, 0] }),
        slide('cup_z', { axis: [0, 0, 1] }),
        ...OUTLINE.slice(1).map(([x, z], i) =>
          capsule(`cup_part_${i}`, { fromto: [OUTLINE[i]![0], 0, OUTLINE[i]![1], x, 0, z], size: 0.008 }),
        ),
        site('cup', { pos: [0, 0, -0.108], size: 0.005 }),
        site('target', { type: 'box', pos: [0, 0, -0.05], size: [0.05, 0.006, 0.05] }),
      ),
      body(
        'ball',
        { pos: [0, 0, 0.2] },
        slide('ball_x', { axis: [1, 0, 0] }),
        slide('ball_z', { axis: [0, 0, 1] }),
        sphere('ball', { size: 0.025 }),
        site('ball', { size: 0.005 }),
      ),
    ],
    tendons: [spatialTendon('string', ['ball', 'cup'], { limited: true, range: [0, 0.3] })],
    actuators: [motor('x', { joint: 'cup_x' }), motor('z', { joint: 'cup_z' })],
  });
