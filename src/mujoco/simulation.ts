import type { MjData, MjModel } from '@mujoco/mujoco';
import { ArgumentError, EnvironmentError, requireInteger, requireOneOf, requireText, show } from '../errors.js';
import { readEntries, type StateDict, type Stateful, stateArray } from '../state.js';
import { loadMujoco, type MujocoEngine } from './engine.js';
import { MujocoModelError, MujocoSimulationError } from './errors.js';
import { compileModel, explain, type MujocoModel, message } from './model.js';

/** What {@link Simulation.id} looks up. */
export type ObjectKind = (typeof OBJECT_KINDS)[number];

const OBJECT_KINDS = ['body', 'joint', 'geom', 'site', 'actuator', 'sensor', 'tendon', 'keyframe'] as const;

/** The float64 arrays of MuJoCo's `mjData` that can be read and written here, by MuJoCo's names. */
const DATA_ARRAYS = [
  ...(['qpos', 'qvel', 'act', 'ctrl', 'qacc', 'qacc_warmstart', 'qfrc_applied', 'xfrc_applied'] as const),
  ...(['mocap_pos', 'mocap_quat', 'xpos', 'xquat', 'xmat', 'xipos', 'ximat', 'geom_xpos', 'geom_xmat'] as const),
  ...(['site_xpos', 'site_xmat', 'sensordata', 'subtree_com', 'subtree_linvel', 'cinert', 'cvel', 'cacc'] as const),
  ...(['cfrc_int', 'cfrc_ext', 'qfrc_actuator', 'qfrc_constraint', 'qfrc_passive', 'qfrc_bias'] as const),
  ...(['actuator_force', 'actuator_length', 'actuator_velocity', 'ten_length', 'ten_velocity'] as const),
] as const;
export type DataArray = (typeof DATA_ARRAYS)[number];

/**
 * One MuJoCo model and its data, with safe access to the engine's memory.
 *
 * Arrays are live views: read them anew from here at each use instead of keeping them, because they go stale when the
 * engine's memory grows. `model` and `data` are MuJoCo's own objects for whatever is not covered here.
 *
 * @example
 * ```ts
 * const simulation = await Simulation.create('<mujoco> ... </mujoco>');
 * simulation.ctrl[0] = 0.5;
 * simulation.step(5);
 * simulation.sensor('gyro'); // Float64Array
 * simulation.close();
 * ```
 */
export class Simulation implements Stateful {
  readonly model: MjModel;
  readonly data: MjData;
  /** Seconds of one physics step. */
  readonly timestep: number;
  /** Whether the semi-implicit Euler method moves the model (MuJoCo's default). */
  readonly usesEuler: boolean;
  /** How often it was reset, or a state put back. */
  resets = 0;
  /** Runs before each physics step, with the state as the last one left it; for forces from outside. Default: none. */
  beforeStep: (() => void) | undefined;
  private views: Partial<Record<DataArray, Float64Array>> = {};
  private readonly ids = new Map<string, number>();
  private readonly places = new Map<string, [first: number, count: number]>();
  private closed = false;

  private constructor(
    readonly engine: MujocoEngine,
    source: MujocoModel,
  ) {
    this.model = compileModel(engine, source);
    this.data = newData(engine, this.model);
    const option = this.model.opt;
    this.timestep = option.timestep;
    this.usesEuler = option.integrator === engine.mjtIntegrator.mjINT_EULER.value;
  }

  /**
   * Compiles a model.
   *
   * @throws MujocoModelError with the compiler's message if the model is not valid
   * @throws MissingPackageError without `@mujoco/mujoco`
   */
  static async create(source: MujocoModel): Promise<Simulation> {
    return new Simulation(await loadMujoco(), source);
  }

  /** Positions, `[nq]`. */
  get qpos(): Float64Array {
    return this.array('qpos');
  }

  /** Velocities, `[nv]`. */
  get qvel(): Float64Array {
    return this.array('qvel');
  }

  /** Actuator inputs, `[nu]`. */
  get ctrl(): Float64Array {
    return this.array('ctrl');
  }

  /** Seconds since the last reset. */
  get time(): number {
    return this.guard(() => this.data.time);
  }

  /** A live view of an array of `mjData`. A view that went stale when memory grew has length 0 and is taken anew. */
  array(name: DataArray): Float64Array {
    const view = this.views[name];
    return view?.length ? view : this.renew(name);
  }

  /** The index of a named object. @throws ArgumentError if there is none */
  id(kind: ObjectKind, name: string): number {
    requireText('Simulation.id', `the ${String(kind)}'s name`, name);
    const key = `${kind}/${name}`;
    const known = this.ids.get(key);
    if (known !== undefined) return known;
    requireOneOf('Simulation.id', 'kind', kind, OBJECT_KINDS);
    const id = this.engine.mj_name2id(this.model, objectType(this.engine, kind), name);
    if (id < 0) throw new ArgumentError(`Simulation.id: the model has no ${kind} named ${show(name)}.`);
    this.ids.set(key, id);
    return id;
  }

  /** World position of a body's frame, `[3]`; a live view. */
  bodyPosition(name: string): Float64Array {
    return row(this.array('xpos'), this.id('body', name), 3);
  }

  /** World orientation of a body's frame as a matrix by rows, `[9]`; a live view. */
  bodyOrientation(name: string): Float64Array {
    return row(this.array('xmat'), this.id('body', name), 9);
  }

  /** World position of a geom, `[3]`; a live view. */
  geomPosition(name: string): Float64Array {
    return row(this.array('geom_xpos'), this.id('geom', name), 3);
  }

  /** World position of a site, `[3]`; a live view. */
  sitePosition(name: string): Float64Array {
    return row(this.array('site_xpos'), this.id('site', name), 3);
  }

  /** The reading of a sensor; a live view. */
  sensor(name: string): Float64Array {
    return this.part('sensordata', 'sensor', name, (id) => [this.model.sensor_adr[id], this.model.sensor_dim[id]]);
  }

  /** Positions of a joint: 1 number for hinge and slide, 4 for ball, 7 for free; a live view. */
  jointPosition(name: string): Float64Array {
    return this.part('qpos', 'joint', name, (id) => [
      this.model.jnt_qposadr[id],
      [7, 4, 1, 1][this.model.jnt_type[id]] as number,
    ]);
  }

  /** Velocities of a joint: 1 number for hinge and slide, 3 for ball, 6 for free; a live view. */
  jointVelocity(name: string): Float64Array {
    return this.part('qvel', 'joint', name, (id) => [
      this.model.jnt_dofadr[id],
      [6, 3, 1, 1][this.model.jnt_type[id]] as number,
    ]);
  }

  /**
   * Back to the model's initial state, or to one of its keyframes (`<key name="home" qpos="..."/>`), time 0.
   *
   * @throws ArgumentError if the model has no keyframe of that name
   */
  reset(keyframe?: string): void {
    const key = keyframe === undefined ? undefined : this.id('keyframe', keyframe);
    this.resets++;
    this.guard(() => {
      if (key === undefined) this.engine.mj_resetData(this.model, this.data);
      else this.engine.mj_resetDataKeyframe(this.model, this.data, key);
    });
  }

  /** Computes everything that follows from the state, without moving. */
  forward(): void {
    this.guard(() => this.engine.mj_forward(this.model, this.data));
  }

  /**
   * Moves on by `count` physics steps with the present `ctrl`.
   *
   * @throws MujocoSimulationError if the motion became unstable; then a reset is due
   */
  step(count = 1): void {
    requireInteger('Simulation.step', 'count', count, { min: 1 });
    this.advance(count, () => {
      for (let i = 0; i < count; i++) this.stepOnce();
    });
  }

  /** One physics step without the check of {@link advance}. */
  stepOnce(): void {
    this.beforeStep?.();
    this.engine.mj_step(this.model, this.data);
  }

  /**
   * Runs `move`, which must advance the time by `count` steps, and makes sure that MuJoCo did not give up on the
   * state inside it: an unstable state makes the engine start over at time 0 by itself.
   */
  advance(count: number, move: () => void): void {
    requireInteger('Simulation.advance', 'count', count, { min: 1 });
    const before = this.guard(() => this.data.time);
    this.guard(move);
    const due = before + count * this.timestep;
    const restarted =
      Math.abs(this.data.time - due) > this.timestep / 2 || (before === 0 && this.warnings().length > 0);
    if (!restarted) return;
    throw new MujocoSimulationError(
      `Simulation.step: the physics became unstable at time ${before.toFixed(3)} s (${this.warnings().join('; ')}). ` +
        'Reset, and use smaller controls or a smaller timestep.',
    );
  }

  /** What MuJoCo has complained about since the last reset, such as `qacc[3] is NaN or too large`. */
  warnings(): string[] {
    const { mjWARN_BADQPOS, mjWARN_BADQVEL, mjWARN_BADQACC } = this.engine.mjtWarning;
    const list = this.data.warning; // owned by `data`: only its entries are ours to delete
    const names = { qpos: mjWARN_BADQPOS.value, qvel: mjWARN_BADQVEL.value, qacc: mjWARN_BADQACC.value };
    const found = Object.entries(names).flatMap(([array, index]) => {
      const entry = list.get(index);
      const text = entry?.number ? [`${array}[${entry.lastinfo}] is NaN or too large`] : [];
      entry?.delete();
      return text;
    });
    return found;
  }

  /** Time and arrays; derived arrays too, because they lag behind the state and tasks read them like that. */
  state(): StateDict {
    const entries = this.filledArrays().map((name) => [name, stateArray(this.array(name).slice())]);
    return { time: stateArray(this.time), ...Object.fromEntries(entries) };
  }

  prepare(state: StateDict): () => void {
    const names = this.filledArrays();
    const sizes: Record<string, number> = Object.fromEntries(names.map((name) => [name, this.array(name).length]));
    sizes.time = 1;
    const entries = readEntries(state, sizes);
    return () => {
      this.reset();
      this.data.time = entries.time![0] as number;
      for (const name of names) this.array(name).set(entries[name]!);
    };
  }

  /** Whether it was closed. */
  get isClosed(): boolean {
    return this.closed;
  }

  /** @throws EnvironmentError if it was closed */
  requireOpen(): void {
    if (this.closed) throw new EnvironmentError('Simulation: it was closed; create a new one.');
  }

  /** Frees the engine's memory; any further use is an error. Closing twice is fine. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.views = {};
    this.data.delete();
    this.model.delete();
  }

  /** The numbers of an array that belong to a named object; where they are is asked once, as that takes its time. */
  private part(
    array: DataArray,
    kind: ObjectKind,
    name: string,
    locate: (id: number) => [first: number, count: number],
  ): Float64Array {
    requireText('Simulation.id', `the ${kind}'s name`, name);
    const key = `${array}/${name}`;
    let place = this.places.get(key);
    if (!place) {
      place = locate(this.id(kind, name));
      this.places.set(key, place);
    }
    const [first, count] = place;
    return this.array(array).subarray(first, first + count);
  }

  private filledArrays(): DataArray[] {
    return DATA_ARRAYS.filter((name) => this.array(name).length > 0);
  }

  private renew(name: DataArray): Float64Array {
    requireOneOf('Simulation.array', 'name', name, DATA_ARRAYS);
    const view = this.guard(() => this.data[name]) as Float64Array;
    this.views[name] = view;
    return view;
  }

  /** Runs engine code and names its errors. */
  private guard<T>(run: () => T): T {
    this.requireOpen();
    try {
      return run();
    } catch (cause) {
      throw new MujocoSimulationError(`Simulation: MuJoCo stopped with an error: ${message(cause)}`, { cause });
    }
  }
}

function newData(engine: MujocoEngine, model: MjModel): MjData {
  try {
    return new engine.MjData(model);
  } catch (cause) {
    model.delete();
    throw new MujocoModelError(`Simulation.create: ${explain(message(cause))}`, { cause });
  }
}

function objectType(engine: MujocoEngine, kind: ObjectKind): number {
  const name = kind === 'keyframe' ? 'KEY' : (kind.toUpperCase() as Uppercase<Exclude<ObjectKind, 'keyframe'>>);
  return engine.mjtObj[`mjOBJ_${name}`].value;
}

function row(array: Float64Array, index: number, size: number): Float64Array {
  return array.subarray(index * size, (index + 1) * size);
}
