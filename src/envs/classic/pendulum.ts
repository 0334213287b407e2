import { requireOptions } from '../../options.js';
import type { Rng } from '../../rng/rng.js';
import { Box } from '../../spaces/box.js';
import { type Advance, MarkovEnv } from '../markovEnv.js';

/**
 * Swing a pendulum up and hold it: Gymnasium's `Pendulum-v1`.
 *
 * Action: a torque in [-2, 2] N m. Observation: cos, sin of the angle (0 is upright) and the angular rate in
 * [-8, 8] rad/s. Reward: `-(angle^2 + 0.1 rate^2 + 0.001 torque^2)` before the step, so at most 0 and at least -16.27.
 * Episodes start anywhere and are cut after 200 steps of 0.05 s. Random actions return about -1200, good ones about -150.
 *
 * @example
 * ```ts
 * const env = new Pendulum();
 * const { observation } = env.reset({ seed: 1 });
 * ```
 */
export class Pendulum extends MarkovEnv<[angle: number, rate: number]> {
  readonly id = 'Pendulum-v1';
  readonly observationSpace = new Box([-1, -1, -MAX_RATE], [1, 1, MAX_RATE]);
  readonly actionSpace = Box.uniform(1, -MAX_TORQUE, MAX_TORQUE);

  constructor(options: { maxEpisodeSteps?: number } = {}) {
    const { maxEpisodeSteps = 200 } = requireOptions('Pendulum', options, { maxEpisodeSteps: true });
    super({ stateSize: 2, maxEpisodeSteps });
  }

  protected override start(rng: Rng): [number, number] {
    return [rng.uniform(-Math.PI, Math.PI), rng.uniform(-1, 1)];
  }

  protected override advance([angle, rate]: [number, number], [action]: [number]): Advance<[number, number]> {
    const torque = clip(action, MAX_TORQUE);
    const cost = wrap(angle) ** 2 + 0.1 * rate ** 2 + 0.001 * torque ** 2;
    const acceleration = ((3 * GRAVITY) / (2 * LENGTH)) * Math.sin(angle) + (3 / (MASS * LENGTH ** 2)) * torque;
    const nextRate = clip(rate + acceleration * TIME_STEP, MAX_RATE);
    return { state: [angle + nextRate * TIME_STEP, nextRate], reward: -cost, terminated: false };
  }

  protected override observe([angle, rate]: [number, number]): Float32Array {
    return Float32Array.of(Math.cos(angle), Math.sin(angle), rate);
  }
}

const GRAVITY = 10;
const MASS = 1;
const LENGTH = 1;
const TIME_STEP = 0.05;
const MAX_RATE = 8;
const MAX_TORQUE = 2;

function clip(value: number, limit: number): number {
  return Math.min(Math.max(value, -limit), limit);
}

/** `angle` plus whole turns, in [-pi, pi). */
function wrap(angle: number): number {
  const turn = 2 * Math.PI;
  return ((((angle + Math.PI) % turn) + turn) % turn) - Math.PI;
}
