import {
  ArgumentError,
  CheckpointError,
  requireFinite,
  requireInteger,
  requireLength,
  requireObject,
  show,
} from '../errors.js';
import type { Rng } from '../rng/rng.js';
import { asCount, readEntries, type StateDict, type Stateful, stateArray, type TypedArray } from '../state.js';
import { type Column, RowBlocks } from './rowBlocks.js';
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
  private readonly columns: Readonly<Record<keyof Transitions, Column>>;
  private rows: RowBlocks<keyof Transitions>;
  private filled = 0;
  private cursor = 0;

  /** @throws ArgumentError unless all sizes are integers >= 1 */
  constructor(options: ReplayBufferOptions) {
    requireObject('ReplayBuffer', 'options', options);
    const { observationSize, actionSize, capacity = 1_000_000 } = options;
    requireInteger('ReplayBuffer', 'observationSize', observationSize, { min: 1 });
    requireInteger('ReplayBuffer', 'actionSize', actionSize, { min: 1 });
    this.capacity = requireInteger('ReplayBuffer', 'capacity', capacity, { min: 1 });
    this.columns = {
      observations: { width: observationSize, kind: 'float32' },
      actions: { width: actionSize, kind: 'float32' },
      rewards: { width: 1, kind: 'float32' },
      nextObservations: { width: observationSize, kind: 'float32' },
      terminated: { width: 1, kind: 'uint8' },
      truncated: { width: 1, kind: 'uint8' },
    };
    this.rows = new RowBlocks(this.columns);
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
    const count = transitions?.rewards?.length;
    for (const column of COLUMNS) {
      const length = count * this.columns[column].width;
      requireLength('ReplayBuffer.add', column, transitions?.[column], length, `${count} transitions`);
      requireFinite('ReplayBuffer.add', column, transitions[column]);
    }
    for (let i = 0; i < count; i++) {
      if (transitions.lost?.[i]) continue;
      this.rows.write(this.cursor, transitions, i);
      this.cursor = (this.cursor + 1) % this.capacity;
      this.filled = Math.min(this.filled + 1, this.capacity);
    }
  }

  /**
   * `batchSize` transitions, drawn uniformly with replacement.
   *
   * @throws ArgumentError if the buffer is empty
   */
  sample(batchSize: number, rng: Rng): ReplayBatch {
    requireInteger('ReplayBuffer.sample', 'batchSize', batchSize, { min: 1 });
    if (typeof rng?.integers !== 'function') {
      throw new ArgumentError(`ReplayBuffer.sample: rng must be an Rng, such as Rng.fromSeed(0), got ${show(rng)}.`);
    }
    if (this.filled === 0) {
      throw new ArgumentError(
        'ReplayBuffer.sample: the buffer is empty. Add transitions first: let the agent observe some steps before it updates.',
      );
    }
    const chosen = rng.integers(batchSize, this.filled);
    return mapColumns((column) => {
      const batch = new Float32Array(batchSize * this.columns[column].width);
      chosen.forEach((row, i) => {
        this.rows.read(row, column, batch, i);
      });
      return batch;
    });
  }

  /** The filled part, block by block: `rows0/observations` ... */
  state(): StateDict {
    const copies = Object.entries(this.snapshot()).map(([name, { shape, data }]) => [
      name,
      { shape, data: data.slice() },
    ]);
    return Object.fromEntries(copies);
  }

  /** {@link state} at no cost: it does not change when transitions are added. Checkpoints write only blocks that are new. */
  snapshot(): StateDict {
    return { ...this.rows.snapshot(this.filled), cursor: stateArray(this.cursor), filled: stateArray(this.filled) };
  }

  /** A buffer of another capacity keeps the latest transitions that it has room for. */
  prepare(state: StateDict): () => void {
    requireObject('ReplayBuffer.prepare', 'state', state);
    const blocks = blockNames(state);
    const entries = readEntries(
      state,
      { cursor: 1, filled: 1, ...Object.fromEntries(blocks.flat().map((name) => [name, undefined])) },
      [],
    ) as Record<string, TypedArray>;
    const filled = asCount(entries.filled as TypedArray, 'filled');
    const cursor = asCount(entries.cursor as TypedArray, 'cursor');
    const parts = blocks.map((names, b) => this.readBlock(entries, names, b));
    const found = parts.reduce((sum, part) => sum + part.rewards.length, 0);
    if (found !== filled || (filled > 0 ? cursor > filled : cursor !== 0)) {
      throw new CheckpointError(`ReplayBuffer: cursor ${cursor} and ${filled} transitions do not fit ${found} rows.`);
    }
    const rows = new RowBlocks(this.columns);
    const kept = Math.min(filled, this.capacity);
    const isRing = cursor < filled; // full, with the oldest row at the cursor
    const isSame = filled <= this.capacity && (!isRing || filled === this.capacity);
    const first = isSame ? 0 : (isRing ? cursor : 0) + filled - kept;
    for (let i = 0; i < kept; i++) {
      const [part, row] = locate(parts, filled ? (first + i) % filled : 0);
      rows.write(i, part, row);
    }
    const next = isSame ? cursor % this.capacity : kept % this.capacity;
    return () => {
      this.rows = rows;
      this.filled = kept;
      this.cursor = next;
    };
  }

  private readBlock(entries: Record<string, TypedArray>, names: readonly string[], b: number) {
    const count = entries[`rows${b}/rewards`]?.length ?? 0;
    const sizes = COLUMNS.map((column) => [`rows${b}/${column}`, count * this.columns[column].width]);
    const block = Object.fromEntries(
      names.map((name) => [name, { shape: [entries[name]!.length], data: entries[name]! }]),
    );
    const arrays = readEntries(block, Object.fromEntries(sizes)) as Record<string, TypedArray>;
    return mapColumns((column) => arrays[`rows${b}/${column}`] as TypedArray);
  }
}

const COLUMNS = ['observations', 'actions', 'rewards', 'nextObservations', 'terminated', 'truncated'] as const;

/** The names of the entries of each block. */
function blockNames(state: StateDict): string[][] {
  const names: string[][] = [];
  for (const name of Object.keys(state)) {
    const [, index] = /^rows(\d{1,6})\//.exec(name) ?? [];
    if (index === undefined) continue;
    while (names.length <= Number(index)) names.push([]);
    names[Number(index)]!.push(name);
  }
  return names;
}

/** Row `index` of blocks of any sizes. */
function locate<Part extends { rewards: TypedArray }>(parts: readonly Part[], index: number): [Part, number] {
  const size = parts[0]?.rewards.length || 1;
  let b = Math.min(Math.floor(index / size), parts.length - 1);
  let row = index - b * size;
  while (b < parts.length - 1 && row >= parts[b]!.rewards.length) row -= parts[b++]!.rewards.length;
  return [parts[b] as Part, row];
}

function mapColumns<T>(map: (column: keyof Transitions) => T): Record<keyof Transitions, T> {
  return Object.fromEntries(COLUMNS.map((column) => [column, map(column)])) as Record<keyof Transitions, T>;
}
