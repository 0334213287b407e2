import { ArgumentError, CheckpointError, requireFinite, requireInteger, requireLength } from '../errors.js';
import type { Rng } from '../rng/rng.js';
import { asCount, readEntries, type StateDict, type Stateful, stateArray } from '../state.js';
import type { ObservedTransitions, Transitions } from './transitions.js';

/** A batch of transitions, ready to become tensors: everything is float32, flags are 0 or 1. */
export type ReplayBatch = { [Column in keyof Transitions]: Float32Array };

export interface ReplayBufferOptions {
  observationSize: number;
  actionSize: number;
  /** Transitions kept; when it is full, the oldest go first. Default 1,000,000. */
  capacity?: number;
}

/**
 * The last `capacity` transitions, in flat typed arrays whose memory grows with use.
 *
 * @example
 * ```ts
 * const replay = new ReplayBuffer({ observationSize: 17, actionSize: 6 });
 * replay.add(transitions);
 * const { observations, rewards } = replay.sample(256, rng); // [256 * 17], [256]
 * ```
 */
export class ReplayBuffer implements Stateful {
  readonly capacity: number;
  private readonly widths: Record<keyof Transitions, number>;
  private rows: Transitions;
  private filled = 0;
  private cursor = 0;

  /** @throws ArgumentError unless all sizes are integers >= 1 */
  constructor({ observationSize, actionSize, capacity = 1_000_000 }: ReplayBufferOptions) {
    requireInteger('ReplayBuffer', 'observationSize', observationSize, { min: 1 });
    requireInteger('ReplayBuffer', 'actionSize', actionSize, { min: 1 });
    this.capacity = requireInteger('ReplayBuffer', 'capacity', capacity, { min: 1 });
    this.widths = {
      observations: observationSize,
      actions: actionSize,
      rewards: 1,
      nextObservations: observationSize,
      terminated: 1,
      truncated: 1,
    };
    this.rows = this.allocate(0);
  }

  /** Transitions held now. */
  get size(): number {
    return this.filled;
  }

  /**
   * Appends N transitions, but for those that were lost; N is `rewards.length`.
   *
   * @throws ShapeError if a size does not fit
   * @throws NonFiniteError if an observation, action or reward is NaN or infinite; in both cases nothing was added
   */
  add(transitions: ObservedTransitions): void {
    const count = transitions.rewards.length;
    for (const column of COLUMNS) {
      requireLength(
        'ReplayBuffer.add',
        column,
        transitions[column],
        count * this.widths[column],
        `${count} transitions`,
      );
      requireFinite('ReplayBuffer.add', column, transitions[column]);
    }
    const { lost } = transitions;
    const added = lost ? lost.filter((flag) => !flag).length : count;
    this.reserve(Math.min(this.filled + added, this.capacity));
    for (let i = 0; i < count; i++) {
      if (lost?.[i]) continue;
      for (const column of COLUMNS)
        copyRow(transitions[column], i, this.rows[column], this.cursor, this.widths[column]);
      this.cursor = (this.cursor + 1) % this.capacity;
    }
    this.filled = Math.min(this.filled + added, this.capacity);
  }

  /**
   * `batchSize` transitions, drawn uniformly with replacement.
   *
   * @throws ArgumentError if the buffer is empty
   */
  sample(batchSize: number, rng: Rng): ReplayBatch {
    requireInteger('ReplayBuffer.sample', 'batchSize', batchSize, { min: 1 });
    if (this.filled === 0) {
      throw new ArgumentError(
        'ReplayBuffer.sample: the buffer is empty. Add transitions first: let the agent observe some steps before it updates.',
      );
    }
    const chosen = rng.integers(batchSize, this.filled);
    return mapColumns((column) => {
      const batch = new Float32Array(batchSize * this.widths[column]);
      chosen.forEach((row, i) => {
        copyRow(this.rows[column], row, batch, i, this.widths[column]);
      });
      return batch;
    });
  }

  /** The filled part only. */
  state(): StateDict {
    const filled = this.filled;
    const columns = mapColumns((column) => {
      const width = this.widths[column];
      return stateArray(this.rows[column].slice(0, filled * width), width === 1 ? [filled] : [filled, width]);
    });
    return { ...columns, cursor: stateArray(this.cursor), capacity: stateArray(this.capacity) };
  }

  prepare(state: StateDict): () => void {
    const entries = readEntries(state, { ...mapColumns(() => undefined), cursor: 1, capacity: 1 });
    const [capacity] = entries.capacity;
    if (capacity !== this.capacity) {
      throw new CheckpointError(`ReplayBuffer: saved with capacity ${capacity}, this one has ${this.capacity}.`);
    }
    const filled = entries.rewards.length;
    const cursor = asCount(entries.cursor, 'cursor');
    if (filled > this.capacity || cursor !== (filled < this.capacity ? filled : cursor % this.capacity)) {
      throw new CheckpointError(`ReplayBuffer: cursor ${cursor} does not fit ${filled} transitions.`);
    }
    const sizes = mapColumns((column) => filled * this.widths[column]);
    readEntries(state, { ...sizes, cursor: 1, capacity: 1 });
    const rows = this.allocate(filled);
    for (const column of COLUMNS) rows[column].set(entries[column]);
    return () => {
      this.rows = rows;
      this.filled = filled;
      this.cursor = cursor;
    };
  }

  /** Makes room for `count` rows: twice what there was, or more. */
  private reserve(count: number): void {
    const room = this.rows.rewards.length;
    if (count <= room) return;
    const grown = this.allocate(Math.min(Math.max(count, 2 * room, 1024), this.capacity));
    for (const column of COLUMNS) grown[column].set(this.rows[column]);
    this.rows = grown;
  }

  private allocate(count: number): Transitions {
    const { observations, actions } = this.widths;
    return {
      observations: new Float32Array(count * observations),
      actions: new Float32Array(count * actions),
      rewards: new Float32Array(count),
      nextObservations: new Float32Array(count * observations),
      terminated: new Uint8Array(count),
      truncated: new Uint8Array(count),
    };
  }
}

const COLUMNS = ['observations', 'actions', 'rewards', 'nextObservations', 'terminated', 'truncated'] as const;

function mapColumns<T>(map: (column: keyof Transitions) => T): Record<keyof Transitions, T> {
  return Object.fromEntries(COLUMNS.map((column) => [column, map(column)])) as Record<keyof Transitions, T>;
}

function copyRow(
  from: Float32Array | Uint8Array,
  fromRow: number,
  to: Float32Array | Uint8Array,
  toRow: number,
  width: number,
): void {
  const source = fromRow * width;
  const target = toRow * width;
  for (let i = 0; i < width; i++) to[target + i] = from[source + i] as number;
}
