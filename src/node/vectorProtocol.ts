import type { StepArrays } from '../envs/batch.js';
import type { Info } from '../envs/env.js';
import type { StateDict } from '../state.js';

/** Where a worker finds the function that makes an environment. */
export interface EnvironmentModule {
  /** A package, an absolute path or a URL such as `new URL('./walk.js', import.meta.url)`; imported in the worker. */
  module: string | URL;
  /** The name of an exported function that returns an environment or a promise of one. */
  export: string;
  /** What the function is called with; must survive structured cloning. */
  args?: readonly unknown[];
}

/** What a worker is started with. */
export interface WorkerSetup {
  module: string;
  export: string;
  args: readonly unknown[];
  /** Indices `first` to `first + count - 1` of the whole vector environment. */
  first: number;
  count: number;
}

/** What a worker says of its environments once they are made. */
export interface WorkerReady {
  id: string | undefined;
  observationSpace: { low: Float32Array; high: Float32Array };
  actionSpace: { low: Float32Array; high: Float32Array };
  /** What `state` and `prepare` are about: the whole state, what outlives episodes, or nothing. */
  keeps: 'state' | 'memory' | undefined;
}

export type WorkerRequest =
  | { kind: 'memory'; buffer: SharedArrayBuffer; numEnvs: number }
  | { kind: 'reset'; seed: number | undefined }
  | { kind: 'step' }
  | { kind: 'state' }
  | { kind: 'prepare'; state: StateDict }
  | { kind: 'commit' }
  | { kind: 'close' };

export type WorkerReply = { value: WorkerReady | Info[] | StateDict | undefined } | { fault: string };

/** What all threads see; rows of one environment follow those of the one before. */
export interface SharedArrays extends StepArrays {
  actions: Float32Array;
}

/** Bytes that {@link sharedArrays} needs. */
export function sharedBytes(numEnvs: number, observationSize: number, actionSize: number): number {
  return numEnvs * (4 * (2 * observationSize + actionSize + 1) + 2);
}

/** The arrays of environments `first` to `first + count - 1` in the memory of all `numEnvs`. */
export function sharedArrays(
  buffer: SharedArrayBuffer,
  numEnvs: number,
  sizes: { observation: number; action: number },
  first = 0,
  count = numEnvs,
): SharedArrays {
  let at = 0;
  const floats = (width: number) => {
    const rows = new Float32Array(buffer, at + 4 * first * width, count * width);
    at += 4 * numEnvs * width;
    return rows;
  };
  const bytes = () => {
    const flags = new Uint8Array(buffer, at + first, count);
    at += numEnvs;
    return flags;
  };
  return {
    observations: floats(sizes.observation),
    nextObservations: floats(sizes.observation),
    actions: floats(sizes.action),
    rewards: floats(1),
    terminated: bytes(),
    truncated: bytes(),
  };
}
