import type { Env, ResetResult, StepResult } from '../envs/env.js';
import { resetSeed } from '../envs/resetSeed.js';
import { StartRng } from '../envs/startRng.js';
import { Wrapper } from '../envs/wrappers/wrapper.js';
import {
  ArgumentError,
  EnvironmentError,
  requireFinite,
  requireInteger,
  requireLength,
  requireObject,
  requireText,
  show,
} from '../errors.js';
import { requireOptions } from '../options.js';
import { Box } from '../spaces/box.js';
import { prefixed, readEntries, type StateDict, stateArray, substate } from '../state.js';
import { MujocoSimulationError } from './errors.js';
import { Simulation } from './simulation.js';
import { gymnasiumStepping, type Stepping } from './stepping.js';
import type { MujocoTask } from './task.js';

/**
 * An environment made of a MuJoCo model and a task: what is observed, what is rewarded, when an episode ends.
 * It has no time limit of its own; wrap it in a `TimeLimit`.
 *
 * @example
 * ```ts
 * const env = await MujocoEnv.create({
 *   model: '<mujoco> ... </mujoco>',
 *   frameSkip: 4,
 *   initialize: (simulation, rng) => { simulation.qpos[0] = rng.uniform(-0.1, 0.1); },
 *   observe: ({ qpos, qvel }) => ({ qpos, qvel }),
 *   evaluate: ({ simulation }) => ({ reward: Math.cos(simulation.jointPosition('pivot')[0]!) }),
 * });
 * ```
 */
export class MujocoEnv implements Env {
  readonly id: string;
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  /** Seconds of one control step. */
  readonly dt: number;
  /** Where each named part lies in the observation. */
  readonly layout: Readonly<Record<string, { from: number; to: number }>>;
  private readonly stepping: Stepping;
  private readonly actuators: readonly number[];
  private readonly random = new StartRng();
  private phase: 'new' | 'running' | 'unstable' | 'closed' = 'new';

  private constructor(
    readonly simulation: Simulation,
    readonly task: MujocoTask,
  ) {
    this.id = task.id ?? 'MujocoEnv';
    this.stepping = task.stepping ?? gymnasiumStepping;
    this.dt = simulation.timestep * requireInteger('MujocoEnv', 'frameSkip', task.frameSkip, { min: 1 });
    this.actuators = actuatorIds(simulation, task);
    this.actionSpace = controlSpace(simulation, this.actuators);
    this.stepping.clear(simulation, task.keyframe);
    this.stepping.settle(simulation);
    this.layout = layoutOf(task.observe(simulation));
    this.observationSpace = Box.uniform(observationSize(this.layout));
  }

  /**
   * Compiles the task's model.
   *
   * @throws MujocoModelError if the model is not valid
   * @throws ArgumentError for a frame skip below 1, an unknown actuator or keyframe, no actuator or an empty
   *   observation
   * @throws MissingPackageError without `@mujoco/mujoco`
   */
  static async create(task: MujocoTask): Promise<MujocoEnv> {
    requireTask(task);
    const simulation = await Simulation.create(task.model);
    try {
      return new MujocoEnv(simulation, task);
    } catch (error) {
      simulation.close();
      throw error;
    }
  }

  /** @throws NonFiniteError if the task starts from NaN or infinity; then another reset is due */
  reset(options: { seed?: number } = {}): ResetResult {
    this.requireOpen('reset');
    const rng = this.random.start(resetSeed(this.id, options));
    this.phase = 'new';
    this.stepping.clear(this.simulation, this.task.keyframe);
    this.task.initialize?.(this.simulation, rng);
    requireFinite('MujocoEnv.reset', 'qpos of initialize', this.simulation.qpos);
    requireFinite('MujocoEnv.reset', 'qvel of initialize', this.simulation.qvel);
    this.stepping.settle(this.simulation);
    this.phase = 'running';
    return { observation: new Float32Array(this.observe()), info: this.task.resetInfo?.(this.simulation) ?? {} };
  }

  /**
   * Moves on by one control step. The action is not clipped here; MuJoCo itself clamps limited actuators.
   *
   * @throws ShapeError, NonFiniteError for a wrong action; nothing has moved then
   * @throws MujocoSimulationError if the motion became unstable; then a reset is due
   */
  step(action: Float32Array): StepResult {
    this.requireRunning();
    requireLength('MujocoEnv.step', 'action', action, this.actuators.length, 'one per actuator');
    requireFinite('MujocoEnv.step', 'action', action);
    const { simulation, task, dt } = this;
    const before = task.track?.(simulation) ?? [];
    this.apply(action);
    const after = task.track?.(simulation) ?? [];
    const { reward, terminated = false, info = {} } = task.evaluate({ simulation, action, before, after, dt });
    return { observation: new Float32Array(this.observe()), reward, terminated, truncated: false, info };
  }

  /**
   * The present observation in full precision, `[observationSpace.size]`; `step` and `reset` round it to float32.
   *
   * @throws EnvironmentError if the task observes other parts or sizes than when the environment was made
   */
  observe(): Float64Array {
    const values = new Float64Array(this.observationSpace.size);
    const parts = this.task.observe(this.simulation);
    for (const [name, { from, to }] of Object.entries(this.layout)) {
      const part = parts[name];
      this.requirePart(name, part, to - from);
      if (typeof part === 'number') values[from] = part;
      else values.set(part, from);
    }
    const added = Object.keys(parts).find((name) => !(name in this.layout));
    if (added !== undefined) this.requirePart(added, parts[added], 0);
    return values;
  }

  /**
   * Starts an episode from a given state instead of a random one.
   *
   * @param start `qpos`, `[nq]`, `qvel`, `[nv]`, and `act`, `[na]`; zeros where left out, `qpos` as the model has it
   */
  start(start: { qpos?: ArrayLike<number>; qvel?: ArrayLike<number>; act?: ArrayLike<number> }): void {
    this.requireOpen('start');
    requireOptions('MujocoEnv.start', start, { qpos: true, qvel: true, act: true });
    const entries = Object.entries(start) as ['qpos' | 'qvel' | 'act', ArrayLike<number>][];
    for (const [name, values] of entries) {
      requireLength('MujocoEnv.start', name, values, this.simulation.array(name).length);
      requireFinite('MujocoEnv.start', name, values);
    }
    this.stepping.clear(this.simulation);
    for (const [name, values] of entries) this.simulation.array(name).set(values);
    this.stepping.settle(this.simulation);
    this.phase = 'running';
  }

  /** The physics, the random stream and whatever of the model a reset changes. */
  state(): StateDict {
    this.requireOpen('state');
    const { model } = this.simulation;
    const changed = (this.task.modelState ?? []).map((name) => [name, stateArray(modelArray(model, name).slice())]);
    return {
      ...prefixed('simulation', this.simulation.state()),
      ...prefixed('model', Object.fromEntries(changed)),
      ...prefixed('rng', this.random.state()),
      running: stateArray(Uint8Array.of(this.phase === 'running' ? 1 : 0)),
    };
  }

  /** @throws CheckpointError if the state belongs to another task */
  prepare(state: StateDict): () => void {
    this.requireOpen('prepare');
    const { simulation } = this;
    const arrays = (this.task.modelState ?? []).map((name) => [name, modelArray(simulation.model, name)] as const);
    const sizes = Object.fromEntries(arrays.map(([name, { length }]) => [name, length]));
    const changed = readEntries(substate(state, 'model'), sizes as Record<string, number>);
    const { running } = readEntries(state, { running: 1 }, ['model', 'rng', 'simulation']);
    const parts = [this.random.prepare(substate(state, 'rng')), simulation.prepare(substate(state, 'simulation'))];
    return () => {
      for (const commit of parts) commit();
      for (const [name, array] of arrays) array.set(changed[name]!);
      this.stepping.resume(simulation);
      this.phase = running[0] === 1 ? 'running' : 'new';
    };
  }

  close(): void {
    this.phase = 'closed';
    this.simulation.close();
  }

  private apply(action: Float32Array): void {
    const ctrl = this.simulation.ctrl;
    for (let i = 0; i < action.length; i++) ctrl[this.actuators[i] as number] = action[i] as number;
    try {
      this.stepping.advance(this.simulation, this.task.frameSkip);
    } catch (error) {
      if (error instanceof MujocoSimulationError) this.phase = 'unstable';
      throw error;
    }
  }

  private requirePart(
    name: string,
    part: number | ArrayLike<number> | undefined,
    size: number,
  ): asserts part is number | ArrayLike<number> {
    const found = sizeOf(part);
    if (found === size) return;
    throw new EnvironmentError(
      `${this.id}: observe gave ${found} numbers for '${name}' where it gave ${size} when the environment was made; the parts of an observation and their sizes must stay the same.`,
    );
  }

  private requireOpen(method: string): void {
    if (this.phase !== 'closed') return;
    throw new EnvironmentError(`${this.id}.${method}: the environment was closed; make a new one.`);
  }

  private requireRunning(): void {
    this.requireOpen('step');
    if (this.phase === 'running') return;
    const why = this.phase === 'new' ? 'no episode has begun' : 'the physics became unstable';
    throw new EnvironmentError(`${this.id}.step: ${why}; call reset first.`);
  }
}

/** The {@link MujocoEnv} that `env` is, or wraps. */
export function findMujocoEnv(env: unknown): MujocoEnv | undefined {
  const inner: unknown = env instanceof Wrapper ? env.unwrapped : env;
  return inner instanceof MujocoEnv ? inner : undefined;
}

/** Throws an {@link ArgumentError} unless `task` has what a task needs. */
function requireTask(task: MujocoTask): void {
  requireObject('MujocoEnv.create', 'task', task);
  for (const name of ['observe', 'evaluate'] as const) {
    if (typeof task[name] === 'function') continue;
    throw new ArgumentError(`MujocoEnv.create: task.${name} must be a function, got ${show(task[name])}.`);
  }
  if (task.keyframe !== undefined) requireText('MujocoEnv.create', 'task.keyframe', task.keyframe);
}

function actuatorIds(simulation: Simulation, { actuators }: MujocoTask): number[] {
  const all = Array.from({ length: simulation.model.nu }, (_, i) => i);
  const ids = actuators?.map((name) => simulation.id('actuator', name)) ?? all;
  if (ids.length) return ids;
  throw new ArgumentError('MujocoEnv: the model has no actuator, or actuators is empty; an action needs at least one.');
}

/** The control ranges of the actuators; one without `ctrlrange` is unbounded. */
function controlSpace({ model }: Simulation, actuators: readonly number[]): Box {
  const ranges = actuators.map((i) => Array.from(model.actuator_ctrlrange.subarray(2 * i, 2 * i + 2)) as number[]);
  const bounds = ranges.map(([low, high]) => (low! < high! ? [low!, high!] : [-Infinity, Infinity]));
  return new Box(
    bounds.map(([low]) => low!),
    bounds.map(([, high]) => high!),
  );
}

function layoutOf(parts: Record<string, number | ArrayLike<number>>): Record<string, { from: number; to: number }> {
  let at = 0;
  const ranges = Object.entries(parts).map(([name, part]) => {
    const from = at;
    at += sizeOf(part);
    return [name, { from, to: at }];
  });
  return Object.fromEntries(ranges);
}

/** How many numbers a part of an observation holds. */
function sizeOf(part: number | ArrayLike<number> | undefined): number {
  return typeof part === 'number' ? 1 : (part?.length ?? 0);
}

function observationSize(layout: MujocoEnv['layout']): number {
  const size = Object.values(layout).at(-1)?.to ?? 0;
  if (size > 0) return size;
  throw new ArgumentError('MujocoEnv: observe returned no numbers; an observation needs at least one.');
}

function modelArray(model: object, name: string): Float64Array {
  return (model as Record<string, Float64Array>)[name] as Float64Array;
}
