import { requireOptions } from '../../options.js';
import type { Rng } from '../../rng/rng.js';
import { Box } from '../../spaces/box.js';
import { type Advance, MarkovEnv } from '../markovEnv.js';

/**
 * Drive an underpowered car out of a valley, which needs a run-up: Gymnasium's `MountainCarContinuous-v0`.
 *
 * Action: a force in [-1, 1]. Observation: position in [-1.2, 0.6] and velocity in [-0.07, 0.07].
 * Reward: 100 at the goal (position 0.45, not moving left), which ends the episode, minus `0.1 action^2` at every step.
 * Episodes are cut after 999 steps. A return of 90 counts as solved; doing nothing returns 0, random actions about -33, which traps many agents.
 */
export class MountainCarContinuous extends MarkovEnv<[position: number, velocity: number]> {
  readonly id = 'MountainCarContinuous-v0';
  readonly observationSpace = new Box([MIN_POSITION, -MAX_VELOCITY], [MAX_POSITION, MAX_VELOCITY]);
  readonly actionSpace = Box.uniform(1, -1, 1);

  constructor(options: { maxEpisodeSteps?: number } = {}) {
    const { maxEpisodeSteps = 999 } = requireOptions('MountainCarContinuous', options, { maxEpisodeSteps: true });
    super({ stateSize: 2, maxEpisodeSteps });
  }

  protected override start(rng: Rng): [number, number] {
    return [rng.uniform(-0.6, -0.4), 0];
  }

  protected override advance([position, velocity]: [number, number], [action]: [number]): Advance<[number, number]> {
    const force = clip(action, -1, 1);
    const pushed = velocity + POWER * force - SLOPE * Math.cos(3 * position);
    const nextVelocity = clip(pushed, -MAX_VELOCITY, MAX_VELOCITY);
    const nextPosition = clip(position + nextVelocity, MIN_POSITION, MAX_POSITION);
    const stopped = nextPosition === MIN_POSITION ? Math.max(nextVelocity, 0) : nextVelocity;
    const terminated = nextPosition >= GOAL && stopped >= 0;
    // Gymnasium keeps this state in float32.
    const state: [number, number] = [Math.fround(nextPosition), Math.fround(stopped)];
    return { state, reward: (terminated ? 100 : 0) - 0.1 * action ** 2, terminated };
  }

  protected override observe(state: [number, number]): Float32Array {
    return Float32Array.from(state);
  }
}

const MIN_POSITION = -1.2;
const MAX_POSITION = 0.6;
const MAX_VELOCITY = 0.07;
const GOAL = 0.45;
const POWER = 0.0015;
const SLOPE = 0.0025;

function clip(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
