import { body, capsule, cylinder, hinge, mjcf, motor, plane, slide, sphere } from '../mjcf.js';
import type { Simulation } from '../simulation.js';
import type { MujocoTask } from '../task.js';
import {
  addNoise,
  difference,
  distance,
  drawPair,
  type GymnasiumOptions,
  type GymnasiumVersion,
  readOptions,
  sumOfSquares,
} from './common.js';

export interface ReacherOptions extends GymnasiumOptions {
  /** Default 1. */
  rewardDistWeight: number;
  /** Default 1, as in Gymnasium's code; its documentation says 0.1. */
  rewardControlWeight: number;
}

const DEFAULTS: ReacherOptions = { frameSkip: 2, model: undefined, rewardDistWeight: 1, rewardControlWeight: 1 };

export const reacherV5 = (options: Partial<ReacherOptions> = {}) => reacher(5, options);
export const reacherV4 = (options: Record<string, never> = {}) => reacher(4, options);

/**
 * Bring the tip of a two-link arm to a target. v4 measures the distance before the step and shows its z, always 0.
 */
function reacher(version: GymnasiumVersion, options: Partial<ReacherOptions>): MujocoTask {
  const chosen = readOptions('Reacher', version, DEFAULTS, options, ['rewardDistWeight', 'rewardControlWeight']);
  const tip = (simulation: Simulation) => simulation.bodyPosition('fingertip');
  const target = (simulation: Simulation) => simulation.bodyPosition('target');
  return {
    id: `Reacher-v${version}`,
    model: chosen.model ?? model(),
    frameSkip: chosen.frameSkip,
    timeLimit: 50,
    view: { from: 'top', span: 0.72 },
    initialize({ qpos, qvel }, rng) {
      addNoise(qpos.subarray(0, 2), () => rng.uniform(-0.1, 0.1));
      const goal = drawPair(
        () => [rng.uniform(-0.2, 0.2), rng.uniform(-0.2, 0.2)],
        (norm) => norm < 0.2,
      );
      qpos.set(goal, qpos.length - 2);
      addNoise(qvel.subarray(0, 2), () => rng.uniform(-0.005, 0.005));
    },
    observe(simulation) {
      const { qpos, qvel } = simulation;
      const arm = qpos.subarray(0, 2);
      return {
        cos: arm.map(Math.cos),
        sin: arm.map(Math.sin),
        target: qpos.subarray(2),
        qvel: qvel.subarray(0, 2),
        finger_to_target: difference(tip(simulation), target(simulation)).subarray(0, version === 4 ? 3 : 2),
      };
    },
    track: (simulation) => [distance(tip(simulation), target(simulation))],
    evaluate({ action, before, after }) {
      const measured = version === 4 ? before[0]! : after[0]!;
      const info = {
        reward_dist: -measured * chosen.rewardDistWeight,
        reward_ctrl: -sumOfSquares(action) * chosen.rewardControlWeight,
      };
      return { reward: info.reward_dist + info.reward_ctrl, info };
    },
  };
}

const model = () => {
  const scenery = { conaffinity: 0 };
  const side = (name: string, from: number[], to: number[]) =>
    capsule(`side${name}`, { fromto: [...from, 0.01, ...to, 0.01], size: 0.02, ...scenery });
  const link = { fromto: [0, 0, 0, 0.1, 0, 0], size: 0.01 };
  const free = { range: [-0.27, 0.27], armature: 0, damping: 0 };
  return mjcf('reacher', {
    compiler: { angle: 'radian', inertiafromgeom: true },
    option: { integrator: 'RK4', timestep: 0.01 },
    defaults: {
      joint: { armature: 1, damping: 1, limited: true },
      geom: { contype: 0, friction: [1, 0.1, 0.1] },
      motor: { gear: 200, ctrllimited: true, ctrlrange: [-1, 1] },
    },
    world: [
      plane('ground', { size: [1, 1, 10], ...scenery }),
      side('S', [-0.3, -0.3], [0.3, -0.3]),
      side('E', [0.3, -0.3], [0.3, 0.3]),
      side('N', [-0.3, 0.3], [0.3, 0.3]),
      side('W', [-0.3, -0.3], [-0.3, 0.3]),
      cylinder('root', { fromto: [0, 0, 0, 0, 0, 0.02], size: 0.011, ...scenery }),
      body(
        'body0',
        { pos: [0, 0, 0.01] },
        hinge('joint0', { axis: [0, 0, 1], limited: false }),
        capsule('link0', link),
        body(
          'body1',
          { pos: [0.1, 0, 0] },
          hinge('joint1', { axis: [0, 0, 1], range: [-3, 3] }),
          capsule('link1', link),
          body('fingertip', { pos: [0.11, 0, 0] }, sphere('fingertip', { size: 0.01 })),
        ),
      ),
      body(
        'target',
        { pos: [0.1, -0.1, 0.01] },
        slide('target_x', { axis: [1, 0, 0], ref: 0.1, ...free }),
        slide('target_y', { axis: [0, 1, 0], ref: -0.1, ...free }),
        sphere('target', { size: 0.009, ...scenery }),
      ),
    ],
    actuators: [motor('', { joint: 'joint0' }), motor('', { joint: 'joint1' })],
  });
};
