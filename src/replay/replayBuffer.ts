import {
  ArgumentError,
  CheckpointError,
  requireFinite,
  requireInteger,
  requireLength,
  requireList,
  requireObject,
  show,
} from '../errors.js';
import type { Rng } from '../rng/rng.js';
import { asCount, readEntries, type StateDict, stateArray, type TypedArray } from '../state.js';
import type { DiscountedTransitions, Replay, ReplayBatch, ReplayOptions } from './replay.js';
import { type Column, RowBlocks } from './rowBlocks.js';
import { requireColumns, type Transitions } from './transitions.js';

export type { ReplayBatch };

type ColumnName = keyof Transitions | 'discounts';

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
export class ReplayBuffer implements Replay {
  readonly capacity: number;
  private readonly columns: Readonly<Partial<Record<ColumnName, Column>>>;
  private readonly names: readonly ColumnName[];
  private rows: RowBlocks<ColumnName>;
  private filled = 0;
  private cursor = 0;

  /** @throws ArgumentError unless all sizes are integers >= 1 */
  constructor(options: ReplayOptions) {
    requireObject('ReplayBuffer', 'options', options);
    const { observationSize, actionSize, capacity = 1_000_000, discounts = false } = options;
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
      ...(discounts && { discounts: { width: 1, kind: 'float32' } as const }),
    };
    this.names = Object.keys(this.columns) as ColumnName[];
    this.rows = new RowBlocks(this.columns as Record<ColumnName, Column>);
  }

  /** Transitions held now. */
  get size(): number {
    return this.filled;
  }

  /**
   * Appends N transitions, but for those that were lost; N is `rewards.length`.
   *
   * @returns where each of them lies now
   * @throws ShapeError if a size does not fit
   * @throws NonFiniteError if an observation, action or reward is NaN or infinite; in both cases nothing was added
   */
  add(transitions: DiscountedTransitions): Int32Array {
    requireColumns('ReplayBuffer.add', transitions, this.columns);
    const places: number[] = [];
    for (let i = 0; i < transitions.rewards.length; i++) {
      if (transitions.lost?.[i]) continue;
      this.rows.write(this.cursor, transitions as Record<ColumnName, ArrayLike<number>>, i);
      places.push(this.cursor);
      this.cursor = (this.cursor + 1) % this.capacity;
      this.filled = Math.min(this.filled + 1, this.capacity);
    }
    return Int32Array.from(places);
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
    return this.read(rng.integers(batchSize, this.filled));
  }

  /**
   * The transitions at `indices`, in 0 ... size - 1.
   *
   * @throws ArgumentError for an index of nothing
   */
  at(indices: ArrayLike<number>): ReplayBatch {
    requireList('ReplayBuffer.at', 'indices', indices);
    const chosen = Array.from(indices, (index, i) =>
      requireInteger('ReplayBuffer.at', `indices[${i}]`, index, { min: 0, below: this.filled }),
    );
    return this.read(Int32Array.from(chosen));
  }

  /** @throws ArgumentError, ShapeError or NonFiniteError for a batch that is not this buffer's or actions that do not fit; then nothing has changed */
  rewriteActions(batch: ReplayBatch, actions: Float32Array): void {
    const where = 'ReplayBuffer.rewriteActions';
    const indices = requireIndices(where, batch, this.filled);
    requireLength(where, 'actions', actions, indices.length * this.columns.actions!.width, 'batch size x action size');
    requireFinite(where, 'actions', actions);
    indices.forEach((row, i) => {
      this.rows.rewrite(row, 'actions', actions, i);
    });
  }

  private read(indices: Int32Array): ReplayBatch {
    const batch = this.mapColumns((column, { width }) => {
      const values = new Float32Array(indices.length * width);
      indices.forEach((row, i) => {
        this.rows.read(row, column, values, i);
      });
      return values;
    });
    return { ...batch, indices };
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
    const rows = new RowBlocks(this.columns as Record<ColumnName, Column>);
    const { kept, next, placeOf } = moved(cursor, filled, this.capacity);
    for (let i = 0; i < kept; i++) {
      const [part, row] = locate(parts, placeOf(i));
      rows.write(i, part, row);
    }
    return () => {
      this.rows = rows;
      this.filled = kept;
      this.cursor = next;
    };
  }

  private readBlock(entries: Record<string, TypedArray>, names: readonly string[], b: number) {
    const count = entries[`rows${b}/rewards`]?.length ?? 0;
    const sizes = this.names.map((column) => [`rows${b}/${column}`, count * this.columns[column]!.width]);
    const block = Object.fromEntries(
      names.map((name) => [name, { shape: [entries[name]!.length], data: entries[name]! }]),
    );
    const arrays = readEntries(block, Object.fromEntries(sizes)) as Record<string, TypedArray>;
    return this.mapColumns((column) => arrays[`rows${b}/${column}`] as TypedArray);
  }

  private mapColumns<T>(map: (name: ColumnName, column: Column) => T): Record<ColumnName, T> {
    const entries = this.names.map((name) => [name, map(name, this.columns[name] as Column)]);
    return Object.fromEntries(entries) as Record<ColumnName, T>;
  }
}

/** Where the transitions of `batch` lie. @throws ArgumentError unless `sample` gave it */
export function requireIndices(where: string, batch: ReplayBatch, size: number): Int32Array {
  const indices = batch?.indices;
  if (indices instanceof Int32Array && indices.every((index) => index >= 0 && index < size)) return indices;
  throw new ArgumentError(`${where}: the batch must be one that sample() gave, its indices are ${show(indices)}.`);
}

/**
 * How the rows of a ring move into one of another capacity, which keeps the latest it has room for.
 *
 * @returns how many are `kept`, where the `next` goes, and where the row now at a place was before
 */
export function moved(cursor: number, filled: number, capacity: number) {
  const kept = Math.min(filled, capacity);
  const isRing = cursor < filled; // full, with the oldest row at the cursor
  const isSame = filled <= capacity && (!isRing || filled === capacity);
  const first = isSame ? 0 : (isRing ? cursor : 0) + filled - kept;
  return {
    kept,
    next: isSame ? cursor % capacity : kept % capacity,
    placeOf: (place: number) => (first + place) % filled,
  };
}

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
