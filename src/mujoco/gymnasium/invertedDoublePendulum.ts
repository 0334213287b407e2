import { body, capsule, hinge, mjcf, motor, plane, site, slide } from '../mjcf.js';
import type { MujocoTask } from '../task.js';
import { clipped, type GymnasiumOptions, type GymnasiumVersion, mixedNoise, readOptions } from './common.js';

export interface InvertedDoublePendulumOptions extends GymnasiumOptions {
  /** Paid on steps that do not terminate; default 10. */
  healthyReward: number;
  /** Start noise on positions (uniform) and velocities (standard deviation); default 0.1. */
  resetNoiseScale: number;
}

const DEFAULTS: InvertedDoublePendulumOptions = {
  frameSkip: 5,
  model: undefined,
  healthyReward: 10,
  resetNoiseScale: 0.1,
};

export const invertedDoublePendulumV5 = (options: Partial<InvertedDoublePendulumOptions> = {}) =>
  invertedDoublePendulum(5, options);
export const invertedDoublePendulumV4 = (options: Record<string, never> = {}) => invertedDoublePendulum(4, options);

/**
 * Keep two poles on a cart upright. v4 pays the healthy reward on the terminating step too and shows the constraint
 * force of all three joints, of which only the cart's is ever other than 0.
 */
function invertedDoublePendulum(
  version: GymnasiumVersion,
  options: Partial<InvertedDoublePendulumOptions>,
): MujocoTask {
  const fixedInV4 = ['healthyReward', 'resetNoiseScale'] as const;
  const chosen = readOptions('InvertedDoublePendulum', version, DEFAULTS, options, fixedInV4);
  return {
    id: `InvertedDoublePendulum-v${version}`,
    model: chosen.model ?? model(),
    frameSkip: chosen.frameSkip,
    timeLimit: 1000,
    view: { center: [0, 0, 0.45], span: 2.2 },
    initialize: mixedNoise(chosen.resetNoiseScale),
    observe(simulation) {
      const { qpos, qvel } = simulation;
      const hinges = qpos.subarray(1);
      const force = simulation.array('qfrc_constraint');
      return {
        cart: qpos[0]!,
        sin: hinges.map(Math.sin),
        cos: hinges.map(Math.cos),
        qvel: clipped(qvel, -10, 10),
        qfrc_constraint: clipped(version === 4 ? force : force.subarray(0, 1), -10, 10),
      };
    },
    evaluate({ simulation }) {
      const [x, , height] = simulation.sitePosition('tip');
      const [, first, second] = simulation.qvel;
      const terminated = height! <= 1;
      const distancePenalty = 0.01 * x! ** 2 + (height! - 2) ** 2;
      const velocityPenalty = 1e-3 * first! ** 2 + 5e-3 * second! ** 2;
      const survive = terminated && version === 5 ? 0 : chosen.healthyReward;
      const terms = { distance_penalty: -distancePenalty, velocity_penalty: -velocityPenalty };
      return {
        reward: survive - distancePenalty - velocityPenalty,
        terminated,
        info: version === 4 ? {} : { reward_survive: survive, ...terms },
      };
    },
  };
}

const model = () => {
  const alongX = { quat: [1, 0, 1, 0] };
  const pole = { fromto: [0, 0, 0, 0, 0, 0.6], size: 0.045 };
  return mjcf('inverted double pendulum', {
    compiler: { inertiafromgeom: true },
    option: { timestep: 0.01, gravity: [1e-5, 0, -9.81], integrator: 'RK4' },
    defaults: { joint: { damping: 0.05 }, geom: { contype: 0, friction: [1, 0.1, 0.1] } },
    world: [
      plane('floor', { pos: [0, 0, -3], size: [40, 40, 40] }),
      capsule('rail', { ...alongX, size: [0.02, 1] }),
      body(
        'cart',
        {},
        slide('slider', { axis: [1, 0, 0], limited: true, margin: 0.01, range: [-1, 1] }),
        capsule('cart', { ...alongX, size: [0.1, 0.1] }),
        body(
          'pole',
          {},
          hinge('hinge', { axis: [0, 1, 0] }),
          capsule('cpole', pole),
          body(
            'pole2',
            { pos: [0, 0, 0.6] },
            hinge('hinge2', { axis: [0, 1, 0] }),
            capsule('cpole2', pole),
            site('tip', { pos: [0, 0, 0.6], size: [0.01, 0.01] }),
          ),
        ),
      ),
    ],
    actuators: [motor('slide', { joint: 'slider', gear: 500, ctrllimited: true, ctrlrange: [-1, 1] })],
  });
};
