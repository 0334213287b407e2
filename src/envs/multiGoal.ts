import { ArgumentError, requireFinite, requireLength, requireList, requireNumber } from '../errors.js';
import { requireOptions } from '../options.js';
import type { Rng } from '../rng/rng.js';
import { Box } from '../spaces/box.js';
import { type Advance, MarkovEnv } from './markovEnv.js';

export interface MultiGoalOptions {
  /** Where the point may go, one or more places within [-7, 7]^2. Default `[[5, 0], [-5, 0], [0, 5], [0, -5]]`. */
  goals?: readonly (readonly [x: number, y: number])[];
  /** Reward for coming within 1 of a goal, which ends the episode. Default 10. */
  goalReward?: number;
  /** Cost per step for each unit of squared speed. Default 30. */
  actionCost?: number;
  /** Cost per step for each unit of squared distance to the nearest goal. Default 1. */
  distanceCost?: number;
  /** Steps after which an episode is cut. Default 30. */
  maxEpisodeSteps?: number;
}

/**
 * A point in the plane that may go to any of several goals, all equally good from the middle, where episodes start:
 * a policy of one mode can only pick one, a diffusion policy can keep them all. After the multi-goal task of soft
 * Q-learning (Haarnoja et al., 2017).
 *
 * Action: a velocity in [-1, 1]^2, added to the position. Observation: the position in [-7, 7]^2.
 * Reward: `goalReward` at a goal, minus `distanceCost d^2 + actionCost |action|^2`, where d is the distance from the
 * position reached to the nearest goal. Random actions return about -850, the best ones about -120.
 */
export class MultiGoal extends MarkovEnv<[x: number, y: number]> {
  readonly id = 'MultiGoal';
  readonly observationSpace = Box.uniform(2, -LIMIT, LIMIT);
  readonly actionSpace = Box.uniform(2, -1, 1);
  readonly goals: readonly (readonly [x: number, y: number])[];
  private readonly rewards: { goal: number; action: number; distance: number };

  /** @throws ArgumentError unless there are goals, within the plane, and all costs are finite and >= 0 */
  constructor(given: MultiGoalOptions = {}) {
    const {
      goals = [
        [5, 0],
        [-5, 0],
        [0, 5],
        [0, -5],
      ],
      goalReward = 10,
      actionCost = 30,
      distanceCost = 1,
      maxEpisodeSteps = 30,
    } = requireOptions('MultiGoal', given, {
      goals: true,
      goalReward: true,
      actionCost: true,
      distanceCost: true,
      maxEpisodeSteps: true,
    });
    requireList('MultiGoal', 'goals', goals);
    for (const goal of goals as readonly unknown[]) requireList('MultiGoal', 'goals[i]', goal);
    super({ stateSize: 2, maxEpisodeSteps });
    if (goals.length === 0) throw new ArgumentError('MultiGoal: goals must name at least one place, got none.');
    goals.forEach((goal, i) => {
      if (!this.observationSpace.contains(goal)) {
        throw new ArgumentError(`MultiGoal: goals[${i}] must be two numbers in [-7, 7], got [${goal}].`);
      }
    });
    this.goals = goals;
    this.rewards = {
      goal: requireNumber('MultiGoal', 'goalReward', goalReward),
      action: requireNumber('MultiGoal', 'actionCost', actionCost, { min: 0 }),
      distance: requireNumber('MultiGoal', 'distanceCost', distanceCost, { min: 0 }),
    };
  }

  /** The goal nearest to a position, as an index into {@link MultiGoal.goals}, and its distance. */
  nearestGoal(position: ArrayLike<number>): { index: number; distance: number } {
    requireLength('MultiGoal.nearestGoal', 'position', position, 2);
    requireFinite('MultiGoal.nearestGoal', 'position', position);
    const distances = this.goals.map(([x, y]) => Math.hypot(x - (position[0] as number), y - (position[1] as number)));
    const distance = Math.min(...distances);
    return { index: distances.indexOf(distance), distance };
  }

  protected override start(rng: Rng): [number, number] {
    return [rng.normal(0, START_STD), rng.normal(0, START_STD)];
  }

  protected override advance([x, y]: [number, number], [vx, vy]: [number, number]): Advance<[number, number]> {
    const [dx, dy] = [clip(vx, 1), clip(vy, 1)];
    const state: [number, number] = [clip(x + dx, LIMIT), clip(y + dy, LIMIT)];
    const { distance } = this.nearestGoal(state);
    const terminated = distance < GOAL_RADIUS;
    const cost = this.rewards.distance * distance ** 2 + this.rewards.action * (dx ** 2 + dy ** 2);
    return { state, reward: (terminated ? this.rewards.goal : 0) - cost, terminated };
  }

  protected override observe(state: [number, number]): Float32Array {
    return Float32Array.from(state);
  }
}

const LIMIT = 7;
const GOAL_RADIUS = 1;
const START_STD = 0.1;

function clip(value: number, limit: number): number {
  return Math.min(Math.max(value, -limit), limit);
}
