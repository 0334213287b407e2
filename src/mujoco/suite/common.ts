import type { Rng } from '../../rng/rng.js';
import type { Simulation } from '../simulation.js';
import { suiteStepping } from '../stepping.js';
import { type MujocoTask, withDefaults } from '../task.js';
import { tolerance } from './tolerance.js';

/** The tasks of the suite have no options. */
export type NoOptions = Record<string, never>;

/** Names of the entries of an orientation matrix by rows. */
const ENTRIES = { xx: 0, xz: 2, zx: 6, zy: 7, zz: 8 } as const;

/** A task of DeepMind Control: episodes of 1000 control steps that never terminate. */
export function suiteTask(
  name: string,
  options: NoOptions,
  task: Omit<MujocoTask, 'id' | 'stepping' | 'timeLimit' | 'evaluate'> & { reward(simulation: Simulation): number },
): MujocoTask {
  const id = `dm_control/${name}`;
  withDefaults(id, {}, options);
  const { reward, ...rest } = task;
  return {
    id,
    stepping: suiteStepping,
    timeLimit: 1000,
    evaluate: ({ simulation }) => ({ reward: reward(simulation) }),
    ...rest,
  };
}

/** An entry of a body's orientation matrix. */
export function orientation(simulation: Simulation, body: string, entry: keyof typeof ENTRIES): number {
  return simulation.bodyOrientation(body)[ENTRIES[entry]]!;
}

/** `vector` in the frame whose orientation matrix by rows is `matrix`. */
export function toFrame(vector: ArrayLike<number>, matrix: Float64Array): number[] {
  return [0, 1, 2].map((i) => vector[0]! * matrix[i]! + vector[1]! * matrix[3 + i]! + vector[2]! * matrix[6 + i]!);
}

export function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]!);
}

/** In [0.8, 1]: how little each control pushes, on average. */
export function smallControl({ ctrl }: Simulation): number {
  const calm = ctrl.map((value) => tolerance(value, { margin: 1, shape: 'quadratic', valueAtMargin: 0 }));
  return (4 + calm.reduce((sum, value) => sum + value) / ctrl.length) / 5;
}

/** ln(1 + x), entry by entry: how touch readings are shown. */
export function logTouch(simulation: Simulation, sensors: readonly string[]): number[] {
  return sensors.map((name) => Math.log1p(simulation.sensor(name)[0]!));
}

/** Every limited hinge and slide uniformly in its range. */
export function randomizeLimitedJoints({ model, qpos }: Simulation, rng: Rng): void {
  for (let i = 0; i < model.njnt; i++) {
    if (!isLimited(model, i)) continue;
    const [low, high] = model.jnt_range.subarray(2 * i, 2 * i + 2);
    qpos[model.jnt_qposadr[i]] = rng.uniform(low, high);
  }
}

/** As {@link randomizeLimitedJoints}, and every other hinge uniformly in [-pi, pi]. */
export function randomizeJoints(simulation: Simulation, rng: Rng): void {
  const { model, engine, qpos } = simulation;
  randomizeLimitedJoints(simulation, rng);
  for (let i = 0; i < model.njnt; i++) {
    const isHinge = model.jnt_type[i] === engine.mjtJoint.mjJNT_HINGE.value;
    if (isHinge && !isLimited(model, i)) qpos[model.jnt_qposadr[i]] = rng.uniform(-Math.PI, Math.PI);
  }
}

/** The bindings cannot give `jnt_limited` as an array. */
function isLimited(model: Simulation['model'], joint: number): boolean {
  const accessor = model.jnt(joint);
  const limited: boolean = accessor.limited;
  accessor.delete();
  return limited;
}

/** Calls `draw` until the state that it writes has no contact. */
export function drawWithoutContact(simulation: Simulation, draw: (attempt: number) => void): void {
  let attempt = 0;
  do {
    draw(attempt++);
    simulation.engine.mj_fwdPosition(simulation.model, simulation.data);
  } while (simulation.data.ncon > 0);
}

/** A quaternion uniform on the sphere. */
export function randomQuaternion(rng: Rng): number[] {
  return normalized([rng.normal(), rng.normal(), rng.normal(), rng.normal()]);
}

export function normalized(vector: readonly number[]): number[] {
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}
