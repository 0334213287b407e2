import { CheckpointError, requireLength } from '../errors.js';
import { asCount, readEntries, type StateDict, type Stateful, stateArray } from '../state.js';

/**
 * One environment step of N environments with the chains that led to the actions: K augmented transitions each.
 * Arrays are flat, one environment after the other.
 */
export interface AugmentedStep {
  /** `[N, O]`, what was acted on. */
  observations: Float32Array;
  /** `[K + 1, N, A]`: the chains' states, the prior's draw first. */
  latents: Float32Array;
  /** `[N]` */
  rewards: Float32Array;
  /** `[N, O]`, the true successors. */
  nextObservations: Float32Array;
  /** `[N, A]`: the prior's draws that start the successors' phases. */
  nextLatents: Float32Array;
  /** `[N]`, 1 where the task itself ended. */
  terminated: Uint8Array;
  /** `[N]`, 1 where the episode was cut. */
  truncated: Uint8Array;
}

/** T steps on end: every array of {@link AugmentedStep} with a leading axis `[T, ...]`. */
export type AugmentedRecords = AugmentedStep;

/** Augmented transitions in the order they were made, until somebody takes them. */
export class AugmentedRollout implements Stateful {
  private steps: AugmentedStep[] = [];

  /** Environment steps held. */
  get length(): number {
    return this.steps.length;
  }

  /** Environments that stepped together, 0 when nothing is held. */
  get rowsPerStep(): number {
    return this.steps[0]?.rewards.length ?? 0;
  }

  /** @throws ShapeError if `step` has other sizes than those held; nothing is added then */
  add(step: AugmentedStep): void {
    const [first] = this.steps;
    for (const column of COLUMNS) {
      if (first) requireLength('AugmentedRollout.add', column, step[column], first[column].length, 'as before');
    }
    this.steps.push(step);
  }

  /**
   * Cuts episodes after the last step, whose successors are known.
   *
   * @param observations `[N, O]`, where the environments are now: episodes that go on from there are not cut. Left out: all are
   */
  cut(observations?: Float32Array): void {
    const last = this.steps.at(-1);
    if (!last || (observations && observations.length !== last.nextObservations.length)) return;
    const width = last.nextObservations.length / last.rewards.length;
    const goesOn = (i: number) =>
      observations
        ?.subarray(i * width, (i + 1) * width)
        .every((value, j) => value === last.nextObservations[i * width + j]);
    last.truncated = last.truncated.map((flag, i) => (last.terminated[i] || goesOn(i) ? flag : 1));
  }

  /** Everything held, which is then gone. */
  take(): AugmentedRecords {
    const records = this.joined();
    this.steps = [];
    return records;
  }

  state(): StateDict {
    const columns = Object.entries(this.joined()).map(([column, data]) => [column, stateArray(data)]);
    return { ...Object.fromEntries(columns), length: stateArray(this.length) };
  }

  prepare(state: StateDict): () => void {
    const sizes = Object.fromEntries(COLUMNS.map((column) => [column, undefined]));
    const entries = readEntries(state, { ...(sizes as Record<keyof AugmentedStep, undefined>), length: 1 });
    const length = asCount(entries.length, 'length');
    for (const column of COLUMNS) {
      const size = entries[column].length;
      if (length ? size % length === 0 && size > 0 : size === 0) continue;
      throw new CheckpointError(`loadState: entry '${column}' has ${size} numbers, not a share for each of ${length}.`);
    }
    const steps = Array.from({ length }, (_, t) => {
      const step = COLUMNS.map((column) => {
        const width = entries[column].length / length;
        return [column, entries[column].slice(t * width, (t + 1) * width)];
      });
      return Object.fromEntries(step) as AugmentedStep;
    });
    return () => {
      this.steps = steps;
    };
  }

  private joined(): AugmentedRecords {
    const columns = COLUMNS.map((column) => [column, join(this.steps.map((step) => step[column]))]);
    return Object.fromEntries(columns) as AugmentedRecords;
  }
}

const COLUMNS = [
  'observations',
  'latents',
  'rewards',
  'nextObservations',
  'nextLatents',
  'terminated',
  'truncated',
] as const;

/** All numbers of `parts`, one part after the other. */
export function join(parts: (Float32Array | Uint8Array)[]): Float32Array | Uint8Array {
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  const joined = parts[0] instanceof Uint8Array ? new Uint8Array(total) : new Float32Array(total);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
