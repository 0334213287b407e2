import { type MujocoId, makeMujoco } from 'diffrl/mujoco';
import { modelDifference } from './modelFigures.js';
import {
  compareRun,
  type Difference,
  GYMNASIUM_FILES,
  modelOf,
  type Reference,
  readReference,
  SUITE_DOMAINS,
  type Trajectory,
  trajectories,
} from './reference.js';

/** A task and what was recorded of its original. */
export interface Recorded {
  id: MujocoId;
  /** Gymnasium's name without its version, or the domain of the suite. */
  family: string;
  model: Reference;
  runs: Trajectory[];
  /** Which of a run's rewards, where a domain has several tasks. */
  rewardName?: string;
}

/** All tasks, Gymnasium's first. */
export function recordedTasks(): Recorded[] {
  const gymnasium = Object.entries(GYMNASIUM_FILES).flatMap(([family, path]) => {
    const file = readReference(`gymnasium/${path}`);
    return ['v5', 'v4'].map((version) => {
      const id = `${family}-${version}` as MujocoId;
      return { id, family, model: modelOf(file, version), runs: trajectories(file, version) };
    });
  });
  const suite = SUITE_DOMAINS.flatMap((family) => {
    const file = readReference(`dmc/${family}`);
    return Object.keys(file.tasks).map((rewardName) => {
      const id = `dm_control/${family}-${rewardName}` as MujocoId;
      return { id, family, model: modelOf(file), runs: trajectories(file), rewardName };
    });
  });
  return [...gymnasium, ...suite];
}

/** The largest differences over all runs, and of the compiled model. */
export interface Parity extends Difference {
  model: number;
  /** The figure of the model with the largest difference. */
  figure: string;
}

export async function measureParity({ id, model, runs, rewardName }: Recorded): Promise<Parity> {
  const { unwrapped: env } = await makeMujoco(id);
  const { largest, where } = modelDifference(env.simulation, model);
  const parity: Parity = { model: largest, figure: where, start: 0, whole: 0, segments: 0, task: 0, flags: 0 };
  for (const run of runs) {
    for (const [name, value] of Object.entries(compareRun(env, run, rewardName)) as [keyof Difference, number][]) {
      parity[name] = Math.max(parity[name], value);
    }
  }
  env.close();
  return parity;
}

/**
 * What two builds of the engine may differ by: 1e-9, and more where contacts make rounding grow. Positions after 100
 * steps get ten times what was measured between the recordings and the WebAssembly build with the originals' models.
 */
export function tolerancesOf(family: string): Omit<Record<keyof Difference, number>, 'flags'> & { model: number } {
  const whole: Record<string, number> = { Ant: 1e-5, HalfCheetah: 1e-3, Pusher: 2e-8, dog: 0.1, humanoid: 1e-6 };
  const segments = family === 'dog' ? 1e-2 : 1e-9;
  return { model: 1e-12, start: 1e-10, segments, task: segments, whole: whole[family] ?? 1e-9 };
}
