import { body, capsule, cylinder, hinge, type MjcfElement, mjcf, motor, plane, slide, sphere } from '../mjcf.js';
import type { MujocoTask } from '../task.js';
import {
  addNoise,
  distance,
  drawPair,
  type GymnasiumOptions,
  type GymnasiumVersion,
  readOptions,
  sumOfSquares,
} from './common.js';

export interface PusherOptions extends GymnasiumOptions {
  /** Weight of the distance between tip and object; default 0.5. */
  rewardNearWeight: number;
  /** Weight of the distance between object and goal; default 1. */
  rewardDistWeight: number;
  /** Default 0.1. */
  rewardControlWeight: number;
}

const DEFAULTS: PusherOptions = {
  frameSkip: 5,
  model: undefined,
  rewardNearWeight: 0.5,
  rewardDistWeight: 1,
  rewardControlWeight: 0.1,
};

export const pusherV5 = (options: Partial<PusherOptions> = {}) => pusher(5, options);
export const pusherV4 = (options: Record<string, never> = {}) => pusher(4, options);

/**
 * Push an object to a goal with a seven-joint arm; never terminates. v4 measures distances before the step, reports
 * the control term unweighted and has a lighter object (Gymnasium itself refuses v4 on MuJoCo 3).
 */
function pusher(version: GymnasiumVersion, options: Partial<PusherOptions>): MujocoTask {
  const fixedInV4 = ['rewardNearWeight', 'rewardDistWeight', 'rewardControlWeight'] as const;
  const chosen = readOptions('Pusher', version, DEFAULTS, options, fixedInV4);
  return {
    id: `Pusher-v${version}`,
    model: chosen.model ?? model(version),
    frameSkip: chosen.frameSkip,
    timeLimit: 100,
    view: { from: [1, -2, 2], center: [0.3, -0.3, -0.1], span: 1.6 },
    initialize({ qpos, qvel }, rng) {
      const object = drawPair(
        () => [rng.uniform(-0.3, 0), rng.uniform(-0.2, 0.2)],
        (norm) => norm > 0.17,
      );
      qpos.set(object, 7);
      addNoise(qvel.subarray(0, 7), () => rng.uniform(-0.005, 0.005));
    },
    observe: (simulation) => ({
      qpos: simulation.qpos.subarray(0, 7),
      qvel: simulation.qvel.subarray(0, 7),
      tip: simulation.bodyPosition('tips_arm'),
      object: simulation.bodyPosition('object'),
      goal: simulation.bodyPosition('goal'),
    }),
    track(simulation) {
      const object = simulation.bodyPosition('object');
      const near = distance(object, simulation.bodyPosition('tips_arm'));
      return [near, distance(object, simulation.bodyPosition('goal'))];
    },
    evaluate({ action, before, after }) {
      const [near, dist] = version === 4 ? before : after;
      const reward_near = -near! * chosen.rewardNearWeight;
      const reward_dist = -dist! * chosen.rewardDistWeight;
      const control = -sumOfSquares(action);
      const reward_ctrl = control * chosen.rewardControlWeight;
      return {
        reward: reward_dist + reward_ctrl + reward_near,
        info: version === 4 ? { reward_dist, reward_ctrl: control } : { reward_dist, reward_ctrl, reward_near },
      };
    },
  };
}

const model = (version: GymnasiumVersion) =>
  mjcf('pusher', {
    compiler: { angle: 'radian', inertiafromgeom: true },
    option: { timestep: 0.01, gravity: [0, 0, 0], iterations: 20 },
    defaults: {
      joint: { armature: 0.04, damping: 1, limited: true },
      geom: { contype: 0, conaffinity: 0, condim: 1, density: 300, friction: [0.8, 0.1, 0.1], margin: 0.002 },
      motor: { ctrllimited: true, ctrlrange: [-2, 2] },
    },
    world: [
      plane('table', { pos: [0, 0.5, -0.325], size: [1, 1, 0.1], contype: 1, conaffinity: 1 }),
      arm(),
      body(
        'object',
        { pos: [0.45, -0.05, -0.275] },
        ...slides('obj'),
        ...(version === 4 ? [sphere('', { size: 0.05, density: 1e-5 })] : []),
        cylinder('', { size: [0.05, 0.05], contype: 1, density: version === 4 ? 1e-5 : 0.01 }),
      ),
      body(
        'goal',
        { pos: [0.45, -0.05, -0.323] },
        ...slides('goal'),
        cylinder('', { size: [0.08, 0.001], density: 1e-5 }),
      ),
    ],
    actuators: [
      ...['shoulder_pan', 'shoulder_lift', 'upper_arm_roll', 'elbow_flex', 'forearm_roll', 'wrist_flex', 'wrist_roll'],
    ].map((joint) => motor('', { joint: `r_${joint}_joint` })),
  });

/** Freedom in the plane, y first. */
function slides(name: string): MjcfElement[] {
  const free = { range: [-10.3213, 10.3], damping: 0.5 };
  return [slide(`${name}_slidey`, { axis: [0, 1, 0], ...free }), slide(`${name}_slidex`, { axis: [1, 0, 0], ...free })];
}

function arm(): MjcfElement {
  const tool = { size: 0.02, contype: 1, conaffinity: 1 };
  const wrist = body(
    'r_wrist_roll_link',
    {},
    hinge('r_wrist_roll_joint', { axis: [1, 0, 0], range: [-1.5, 1.5], damping: 0.1 }),
    capsule('', { fromto: [0, -0.1, 0, 0, 0.1, 0], ...tool }),
    capsule('', { fromto: [0, -0.1, 0, 0.1, -0.1, 0], ...tool }),
    capsule('', { fromto: [0, 0.1, 0, 0.1, 0.1, 0], ...tool }),
    body(
      'tips_arm',
      {},
      sphere('tip_arml', { pos: [0.1, -0.1, 0], size: 0.01 }),
      sphere('tip_armr', { pos: [0.1, 0.1, 0], size: 0.01 }),
    ),
  );
  const forearm = body(
    'r_forearm_roll_link',
    {},
    hinge('r_forearm_roll_joint', { axis: [1, 0, 0], range: [-1.5, 1.5], damping: 0.1 }),
    capsule('fr', { fromto: [-0.1, 0, 0, 0.1, 0, 0], size: 0.02 }),
    body(
      'r_forearm_link',
      {},
      capsule('fa', { fromto: [0, 0, 0, 0.291, 0, 0], size: 0.05 }),
      body(
        'r_wrist_flex_link',
        { pos: [0.321, 0, 0] },
        hinge('r_wrist_flex_joint', { axis: [0, 1, 0], range: [-1.094, 0], damping: 0.1 }),
        capsule('wf', { fromto: [0, -0.02, 0, 0, 0.02, 0], size: 0.01 }),
        wrist,
      ),
    ),
  );
  const upperArm = body(
    'r_upper_arm_roll_link',
    {},
    hinge('r_upper_arm_roll_joint', { axis: [1, 0, 0], range: [-1.5, 1.7], damping: 0.1 }),
    capsule('uar', { fromto: [-0.1, 0, 0, 0.1, 0, 0], size: 0.02 }),
    body(
      'r_upper_arm_link',
      {},
      capsule('ua', { fromto: [0, 0, 0, 0.4, 0, 0], size: 0.06 }),
      body(
        'r_elbow_flex_link',
        { pos: [0.4, 0, 0] },
        hinge('r_elbow_flex_joint', { axis: [0, 1, 0], range: [-2.3213, 0], damping: 0.1 }),
        capsule('ef', { fromto: [0, -0.02, 0, 0, 0.02, 0], size: 0.06 }),
        forearm,
      ),
    ),
  );
  return body(
    'r_shoulder_pan_link',
    { pos: [0, -0.6, 0] },
    hinge('r_shoulder_pan_joint', { axis: [0, 0, 1], range: [-2.2854, 1.714602] }),
    sphere('e1', { pos: [-0.06, 0.05, 0.2], size: 0.05 }),
    sphere('e2', { pos: [0.06, 0.05, 0.2], size: 0.05 }),
    sphere('e1p', { pos: [-0.06, 0.09, 0.2], size: 0.03 }),
    sphere('e2p', { pos: [0.06, 0.09, 0.2], size: 0.03 }),
    capsule('sp', { fromto: [0, 0, -0.4, 0, 0, 0.2], size: 0.1 }),
    body(
      'r_shoulder_lift_link',
      { pos: [0.1, 0, 0] },
      hinge('r_shoulder_lift_joint', { axis: [0, 1, 0], range: [-0.5236, 1.3963] }),
      capsule('sl', { fromto: [0, -0.1, 0, 0, 0.1, 0], size: 0.1 }),
      upperArm,
    ),
  );
}
