import type { Info } from '../envs/env.js';
import { ArgumentError, show } from '../errors.js';
import type { Rng } from '../rng/rng.js';
import type { MujocoModel } from './model.js';
import type { View } from './render/camera.js';
import type { Simulation } from './simulation.js';
import type { Stepping } from './stepping.js';

/** What a reward is computed from. */
export interface Outcome {
  simulation: Simulation;
  /** The action as given, `[actionSpace.size]`. */
  action: Float32Array;
  /** What {@link MujocoTask.track} gave before the step, and after it. */
  before: readonly number[];
  after: readonly number[];
  /** Seconds of one control step. */
  dt: number;
}

/** What a step was worth; `terminated` is false unless given. */
export interface Verdict {
  reward: number;
  terminated?: boolean;
  info?: Info;
}

/** Everything that turns a model into a task. See {@link MujocoEnv} for an example. */
export interface MujocoTask {
  /** A name for messages and plots. */
  readonly id?: string;
  readonly model: MujocoModel;
  /** Physics steps per control step. */
  readonly frameSkip: number;
  /** Default {@link gymnasiumStepping}. */
  readonly stepping?: Stepping;
  /** How pictures show it; see {@link renderSvg}. */
  readonly view?: View;
  /** Control steps until {@link makeMujoco} cuts the episode. */
  readonly timeLimit?: number;
  /** Names of the actuators that the action drives, in its order; all by default. */
  readonly actuators?: readonly string[];
  /** Float arrays of MuJoCo's `mjModel` that `initialize` writes to, such as `site_pos`; saved with the state. */
  readonly modelState?: readonly string[];
  /** The keyframe of the model in which episodes start, such as `'home'`; by default the model's initial state. */
  readonly keyframe?: string;
  /** Writes the start of an episode over the model's initial state or that of the keyframe. */
  initialize?(simulation: Simulation, rng: Rng): void;
  /** The observation in named parts; their order and sizes never change. */
  observe(simulation: Simulation): Record<string, number | ArrayLike<number>>;
  /** Numbers that the reward compares before and after the step. */
  track?(simulation: Simulation): number[];
  evaluate(outcome: Outcome): Verdict;
  /** The info that `reset` returns. */
  resetInfo?(simulation: Simulation): Info;
}

/** `given` over `defaults`. @throws ArgumentError for a name that `defaults` does not have, or a value of another kind */
export function withDefaults<T extends object>(where: string, defaults: T, given: Partial<T>): T {
  const unknown = Object.keys(given).find((name) => !(name in defaults));
  if (unknown === undefined) {
    const chosen = Object.entries(given).filter(([, value]) => value !== undefined);
    for (const [name, value] of chosen) requireLike(where, name, value, defaults[name as keyof T]);
    return { ...defaults, ...Object.fromEntries(chosen) };
  }
  const allowed = Object.keys(defaults).join(', ') || 'none';
  throw new ArgumentError(`${where}: there is no option ${show(unknown)}; the options are: ${allowed}.`);
}

/** @throws ArgumentError unless `value` is a number, a switch or a list of numbers as `initial` is; a model may be anything */
function requireLike(where: string, name: string, value: unknown, initial: unknown): void {
  if (initial === undefined) return;
  const isNumber = (entry: unknown) => typeof entry === 'number' && !Number.isNaN(entry);
  const isLike = Array.isArray(initial)
    ? Array.isArray(value) && value.length === initial.length && value.every(isNumber)
    : typeof value === typeof initial && !Number.isNaN(value);
  if (isLike) return;
  const wanted = Array.isArray(initial) ? `a list of ${initial.length} numbers` : `a ${typeof initial}`;
  throw new ArgumentError(`${where}: ${name} must be ${wanted}, got ${show(value)}.`);
}
