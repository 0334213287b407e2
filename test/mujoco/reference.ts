import { readFileSync } from 'node:fs';
import type { MujocoEnv } from 'diffrl/mujoco';

/** File of figures by task. */
export const GYMNASIUM_FILES = {
  ...{ Ant: 'ant', HalfCheetah: 'half_cheetah', Hopper: 'hopper', Humanoid: 'humanoid', Pusher: 'pusher' },
  HumanoidStandup: 'humanoid_standup',
  ...{ InvertedPendulum: 'inverted_pendulum', InvertedDoublePendulum: 'inverted_double_pendulum' },
  ...{ Reacher: 'reacher', Swimmer: 'swimmer', Walker2d: 'walker2d' },
};

/** Domains of DeepMind Control. */
export const SUITE_DOMAINS = [
  ...['acrobot', 'ball_in_cup', 'cartpole', 'cheetah', 'dog', 'finger', 'fish', 'hopper', 'humanoid', 'pendulum'],
  ...['quadruped', 'walker'],
];

interface ModelChange {
  array: 'site_pos' | 'site_size' | 'geom_pos';
  element: string;
  first_entries: number[];
}

/** One recorded run; see test/reference/README.md for the layout. */
export interface Trajectory {
  id: number;
  start: { qpos: number[]; qvel: number[]; act?: number[]; model_changes?: ModelChange[] };
  initial_observation: number[];
  actions: number[][];
  qpos: number[][];
  qvel: number[][];
  act?: number[][];
  warm_start_after_step: Record<string, number[]>;
  contact_count: number[];
  observation: number[][];
  observation_steps?: number[];
  reward: number[] | Record<string, number[]>;
  terminated: boolean[];
  info: Record<string, (number | number[])[]>;
}

// biome-ignore lint/suspicious/noExplicitAny: the layout of the files is described in their README
export type Reference = any;

export function readReference(path: string): Reference {
  return JSON.parse(readFileSync(new URL(`../reference/${path}.json`, import.meta.url), 'utf8'));
}

/** The figures of the model of one version. The dog's bones, which never collide, are left out of its geoms. */
export function modelOf(file: Reference, version = 'v5'): Reference {
  const { v5, [version]: own } = file.model;
  if (file.model.mesh_geoms_left_out) {
    const geoms = file.model.geoms.map((geom: Reference, id: number) => ({ ...geom, id }));
    return { ...file.model, geoms, sizes: { ...file.model.sizes, ngeom: geoms.length } };
  }
  if (!v5) return file.model;
  if (own === 'same as v5') return v5;
  if (!own.same_as) return own;
  const model = structuredClone(v5);
  for (const { list, id, ...changes } of own.except) Object.assign(model[list][id], changes);
  return model;
}

/** The trajectories of one version with everything that is "same as v5" filled in. */
export function trajectories(file: Reference, version = 'v5'): Trajectory[] {
  const v5 = file.versions?.v5.trajectories ?? file.trajectories;
  const own = file.versions ? file.versions[version].trajectories : v5;
  if (!Array.isArray(own)) return []; // Pusher-v4 could not be recorded
  return own.map((trajectory: Reference) => {
    const base = v5.find(({ id }: Trajectory) => id === trajectory.id);
    const merged = { ...base, ...trajectory };
    for (const [name, value] of Object.entries(merged)) if (value === 'same as v5') merged[name] = base[name];
    const size = Object.values(file.model)[0] ? sizeOf(file) : 0;
    if (typeof merged.actions === 'string') merged.actions = Array.from({ length: 100 }, () => Array(size).fill(0));
    if (typeof merged.terminated === 'string') merged.terminated = Array(100).fill(false);
    return merged;
  });
}

function sizeOf(file: Reference): number {
  return (file.model.v5 ?? file.model).sizes.nu;
}

/** The largest differences between a run here and a recorded one, in rows recorded with full precision where they exist. */
export interface Difference {
  /** Of qpos and qvel over steps 1 to 20, run from the start. */
  start: number;
  /** Of qpos over all steps, run from the start. */
  whole: number;
  /** Of qpos, qvel and act in ten-step segments, each begun from the recorded state. */
  segments: number;
  /** Of observations, rewards and info in those segments, relative: |a - b| / (1 + |b|). */
  task: number;
  /** Steps of the segments whose termination or number of contacts differs. */
  flags: number;
}

export function compareRun(env: MujocoEnv, run: Trajectory, rewardName?: string): Difference {
  const difference: Difference = { start: 0, whole: 0, segments: 0, task: 0, flags: 0 };
  begin(env, run);
  run.actions.forEach((action, t) => {
    env.step(Float32Array.from(action));
    const { qpos, qvel } = env.simulation;
    if (isFullPrecision(t)) difference.whole = Math.max(difference.whole, gap(qpos, run.qpos[t]!, 0));
    if (t < 20) difference.start = Math.max(difference.start, gap(qpos, run.qpos[t]!, 0), gap(qvel, run.qvel[t]!, 0));
  });
  begin(env, run);
  difference.task = gap(env.observe(), run.initial_observation);
  const rewards = rewardName ? (run.reward as Record<string, number[]>)[rewardName]! : (run.reward as number[]);
  run.actions.forEach((action, t) => {
    if (t > 0 && t % 10 === 0) restart(env, run, t);
    const { reward, terminated, info } = env.step(Float32Array.from(action));
    const { data, qpos, qvel } = env.simulation;
    if (isFullPrecision(t)) {
      difference.segments = Math.max(difference.segments, gap(qpos, run.qpos[t]!), gap(qvel, run.qvel[t]!));
    }
    if (run.act && isFullPrecision(t))
      difference.segments = Math.max(difference.segments, gap(env.simulation.array('act'), run.act[t]!));
    const row = run.observation_steps ? run.observation_steps.indexOf(t + 1) : t;
    if (row >= 0) difference.task = Math.max(difference.task, gap(env.observe(), run.observation[row]!));
    difference.task = Math.max(difference.task, gap([reward], [rewards[t]!]));
    for (const [name, values] of Object.entries(run.info ?? {})) {
      const given = info[name] as number | ArrayLike<number>;
      difference.task = Math.max(difference.task, gap(list(given), list(values[t]!)));
    }
    if (terminated !== (run.terminated?.[t] ?? false) || data.ncon !== run.contact_count[t]) difference.flags++;
  });
  return difference;
}

function isFullPrecision(t: number): boolean {
  return t < 20 || (t + 1) % 10 === 0;
}

function begin(env: MujocoEnv, run: Trajectory): void {
  const { simulation } = env;
  for (const { array, element, first_entries } of run.start.model_changes ?? []) {
    simulation.model[array].set(first_entries, 3 * simulation.id(array === 'geom_pos' ? 'geom' : 'site', element));
  }
  env.start({ qpos: run.start.qpos, qvel: run.start.qvel, ...(run.start.act ? { act: run.start.act } : {}) });
}

/** Puts the recorded state after `step` steps into the running simulation. */
function restart(env: MujocoEnv, run: Trajectory, step: number): void {
  const { simulation } = env;
  simulation.qpos.set(run.qpos[step - 1]!);
  simulation.qvel.set(run.qvel[step - 1]!);
  if (run.act) simulation.array('act').set(run.act[step - 1]!);
  simulation.array('qacc_warmstart').set(run.warm_start_after_step[step]!);
  env.task.stepping?.resume(simulation);
}

/** Largest |a - b| / (1 + scale |b|); infinite if the lengths differ. */
function gap(a: ArrayLike<number>, b: ArrayLike<number>, scale = 1): number {
  if (a?.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < b.length; i++) {
    largest = Math.max(largest, Math.abs(a[i]! - b[i]!) / (1 + scale * Math.abs(b[i]!)));
  }
  return Number.isNaN(largest) ? Infinity : largest;
}

function list(value: number | ArrayLike<number>): ArrayLike<number> {
  return typeof value === 'number' ? [value] : value;
}
