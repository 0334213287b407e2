import { CheckpointError } from './errors.js';

/** The element types that checkpoints can hold. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/** A named array with its shape; `data.length` is the product of `shape`. */
export interface StateArray {
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** Everything that something changes while it runs, as a flat dictionary. Names are paths: `actor/time/kernel0`. */
export type StateDict = Record<string, StateArray>;

/** A value or a promise of it. */
export type MaybePromise<T> = T | Promise<T>;

/** Something whose changing state can be saved and put back, bit for bit. */
export interface Stateful {
  /** A copy of the whole changing state. */
  state(): MaybePromise<StateDict>;
  /**
   * Puts back what {@link Stateful.state} returned.
   *
   * @throws CheckpointError if an entry is missing or does not fit; then nothing has changed
   */
  loadState(state: StateDict): MaybePromise<void>;
}

/** `data` as a one-dimensional {@link StateArray}; numbers are stored as float64. */
export function stateArray(data: TypedArray | number, shape?: readonly number[]): StateArray {
  const array = typeof data === 'number' ? Float64Array.of(data) : data;
  return { shape: shape ?? [array.length], data: array };
}

/** The entries of `state` below `prefix/`, with the prefix removed. */
export function substate(state: StateDict, prefix: string): StateDict {
  const start = `${prefix}/`;
  const entries = Object.entries(state).filter(([name]) => name.startsWith(start));
  return Object.fromEntries(entries.map(([name, array]) => [name.slice(start.length), array]));
}

/** `state` with `prefix/` put before every name. */
export function prefixed(prefix: string, state: StateDict): StateDict {
  return Object.fromEntries(Object.entries(state).map(([name, array]) => [`${prefix}/${name}`, array]));
}

/**
 * The entry `name`, checked.
 *
 * @param size required number of elements, if any
 * @throws CheckpointError if it is missing or has another size
 */
export function requireEntry(state: StateDict, name: string, size?: number): TypedArray {
  const entry = state[name];
  if (!entry) throw new CheckpointError(`loadState: entry '${name}' is missing; the state belongs to something else.`);
  if (size !== undefined && entry.data.length !== size) {
    throw new CheckpointError(
      `loadState: entry '${name}' has ${entry.data.length} numbers, ${size} are needed; was it saved with other sizes?`,
    );
  }
  return entry.data;
}
