import { body, capsule, hinge, mjcf, motor, slide } from '../mjcf.js';
import type { MujocoTask } from '../task.js';
import { type GymnasiumOptions, type GymnasiumVersion, readOptions, uniformNoise } from './common.js';

export interface InvertedPendulumOptions extends GymnasiumOptions {
  /** Start noise on positions and velocities; default 0.01. */
  resetNoiseScale: number;
}

const DEFAULTS: InvertedPendulumOptions = { frameSkip: 2, model: undefined, resetNoiseScale: 0.01 };

export const invertedPendulumV5 = (options: Partial<InvertedPendulumOptions> = {}) => invertedPendulum(5, options);
export const invertedPendulumV4 = (options: Record<string, never> = {}) => invertedPendulum(4, options);

/** Keep the pole within 0.2 rad of upright: 1 per step; v4 pays it on the terminating step as well. */
function invertedPendulum(version: GymnasiumVersion, options: Partial<InvertedPendulumOptions>): MujocoTask {
  const chosen = readOptions('InvertedPendulum', version, DEFAULTS, options, ['resetNoiseScale']);
  return {
    id: `InvertedPendulum-v${version}`,
    model: chosen.model ?? model(),
    frameSkip: chosen.frameSkip,
    timeLimit: 1000,
    view: { center: [0, 0, 0.2], span: 1.6 },
    initialize: uniformNoise(chosen.resetNoiseScale),
    observe: ({ qpos, qvel }) => ({ qpos, qvel }),
    evaluate({ simulation: { qpos, qvel } }) {
      const terminated = !(qpos.every(Number.isFinite) && qvel.every(Number.isFinite) && Math.abs(qpos[1]!) <= 0.2);
      const reward = version === 4 || !terminated ? 1 : 0;
      return { reward, terminated, info: version === 4 ? {} : { reward_survive: reward } };
    },
  };
}

const model = () =>
  mjcf('inverted pendulum', {
    compiler: { inertiafromgeom: true },
    option: { integrator: 'RK4', timestep: 0.02 },
    defaults: {
      joint: { limited: true, damping: 1 },
      geom: { contype: 0, friction: [1, 0.1, 0.1] },
      motor: { ctrlrange: [-3, 3] },
    },
    world: [
      capsule('rail', { quat: [1, 0, 1, 0], size: [0.02, 1] }),
      body(
        'cart',
        {},
        slide('slider', { axis: [1, 0, 0], range: [-1, 1] }),
        capsule('cart', { quat: [1, 0, 1, 0], size: [0.1, 0.1] }),
        body(
          'pole',
          {},
          hinge('hinge', { axis: [0, 1, 0], range: [-90, 90] }),
          capsule('cpole', { fromto: [0, 0, 0, 0.001, 0, 0.6], size: 0.049 }),
        ),
      ),
    ],
    actuators: [motor('slide', { joint: 'slider', gear: 100 })],
  });
