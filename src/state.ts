import { CheckpointError, show } from './errors.js';

/** The element types that checkpoints can hold. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/** A named array with its shape; `data.length` is the product of `shape`. */
export interface StateArray {
  readonly shape: readonly number[];
  readonly data: TypedArray;
  /**
   * Whether nobody writes to `data` any more, neither its owner nor you: then it may be kept instead of copied, and
   * checkpoints write it once only.
   */
  readonly frozen?: boolean | undefined;
}

/** Everything that something changes while it runs, as a flat dictionary. Names are paths: `actor/time/kernel0`. */
export type StateDict = Record<string, StateArray>;

/** A value or a promise of it. */
export type MaybePromise<T> = T | Promise<T>;

/** Puts a state that {@link Stateful.prepare} has checked in place. It cannot fail. */
export type Commit = () => MaybePromise<void>;

/** Something whose changing state can be saved and put back, bit for bit; see {@link loadState}. */
export interface Stateful {
  /** A copy of the whole changing state. */
  state(): MaybePromise<StateDict>;
  /**
   * The same without a copy, where the state is large: frozen arrays (see {@link StateArray}), which stay what they are
   * while the owner goes on. Checkpoints take it in place of {@link Stateful.state}.
   */
  snapshot?(): MaybePromise<StateDict>;
  /**
   * Checks all of what {@link Stateful.state} returned, here or in another like this, and changes nothing; the function
   * that comes back puts it in place. Parts are prepared first, all of them, then committed.
   *
   * @throws CheckpointError if an entry is missing, does not fit or belongs to something else
   */
  prepare(state: StateDict): MaybePromise<Commit>;
}

/**
 * Puts back what `target.state()` returned.
 *
 * @throws CheckpointError if an entry is missing, does not fit or belongs to something else; then nothing has changed
 */
export async function loadState(target: Pick<Partial<Stateful>, 'prepare'>, state: StateDict): Promise<void> {
  if (typeof target?.prepare !== 'function')
    throw new CheckpointError('loadState: the target has no `prepare`, so its state cannot be put back.');
  const commit = await target.prepare(state);
  await commit();
}

/** @throws CheckpointError unless `state` is an object, as it must be */
export function requireState(state: StateDict): StateDict {
  if (typeof state === 'object' && state !== null && !Array.isArray(state)) return state;
  throw new CheckpointError(`loadState: state must be a dictionary of arrays, got ${show(state)}.`);
}

/** Several things as one; the entries of each are below its name. */
export function together(parts: Readonly<Record<string, Stateful>>): Required<Stateful> {
  const entries = Object.entries(parts);
  const gather = async (take: (part: Stateful) => MaybePromise<StateDict>): Promise<StateDict> => {
    const states = await Promise.all(entries.map(async ([name, part]) => prefixed(name, await take(part))));
    return Object.assign({}, ...states);
  };
  return {
    state: () => gather((part) => part.state()),
    snapshot: () => gather((part) => part.snapshot?.() ?? part.state()),
    async prepare(state) {
      readEntries(state, {}, Object.keys(parts));
      const commits: Commit[] = [];
      for (const [name, part] of entries) commits.push(await part.prepare(substate(state, name)));
      return async () => {
        for (const commit of commits) await commit();
      };
    },
  };
}

/** `data` as a one-dimensional {@link StateArray}; numbers are stored as float64. */
export function stateArray(data: TypedArray | number, shape?: readonly number[]): StateArray {
  const array = typeof data === 'number' ? Float64Array.of(data) : data;
  return { shape: shape ?? [array.length], data: array };
}

/** The entries of `state` below `prefix/`, with the prefix removed. */
export function substate(state: StateDict, prefix: string): StateDict {
  const start = `${prefix}/`;
  const entries = Object.entries(requireState(state)).filter(([name]) => name.startsWith(start));
  const part = Object.fromEntries(entries.map(([name, array]) => [name.slice(start.length), array]));
  paths.set(part, `${paths.get(state) ?? ''}${start}`);
  return part;
}

/** How many numbers the entry `name` holds, 0 if it is not there. @throws CheckpointError unless `state` is an object */
export function lengthOf(state: StateDict, name: string): number {
  return requireState(state)[name]?.data?.length ?? 0;
}

/** Where parts lie in the state that they were taken from, for messages. */
const paths = new WeakMap<StateDict, string>();

/** `state` with `prefix/` put before every name. */
export function prefixed(prefix: string, state: StateDict): StateDict {
  return Object.fromEntries(Object.entries(requireState(state)).map(([name, array]) => [`${prefix}/${name}`, array]));
}

/**
 * The arrays of `state`, checked: all of those named, of the right size, and no others.
 *
 * @param sizes how many numbers each must have; `undefined` for any
 * @param parts names `part/...` that are somebody else's to check
 * @throws CheckpointError naming what is missing, does not fit or belongs to something else
 */
export function readEntries<Name extends string>(
  state: StateDict,
  sizes: Readonly<Record<Name, number | undefined>>,
  parts: readonly string[] = [],
): Record<Name, TypedArray> {
  requireState(state);
  const path = paths.get(state) ?? '';
  for (const name of Object.keys(state)) {
    if (name in sizes || parts.some((part) => name.startsWith(`${part}/`))) continue;
    throw new CheckpointError(
      `loadState: entry '${path}${name}' is unknown here; the state belongs to something else.`,
    );
  }
  const arrays = Object.entries<number | undefined>(sizes).map(([name, size]) => [
    name,
    read(state[name], `${path}${name}`, size),
  ]);
  return Object.fromEntries(arrays) as Record<Name, TypedArray>;
}

function read(entry: StateArray | undefined, name: string, size: number | undefined): TypedArray {
  if (!entry) throw new CheckpointError(`loadState: entry '${name}' is missing; the state belongs to something else.`);
  const { shape, data } = entry;
  const length = shape?.reduce?.((product, extent) => product * extent, 1);
  if (!ArrayBuffer.isView(data) || data.length !== length) {
    throw new CheckpointError(`loadState: entry '${name}' is damaged, its array does not have its shape [${shape}].`);
  }
  if (size !== undefined && length !== size) {
    throw new CheckpointError(
      `loadState: entry '${name}' has ${length} numbers, ${size} are needed; was it saved with other sizes?`,
    );
  }
  return data;
}

/** The one number of an array that {@link readEntries} gave. @throws CheckpointError unless it is an integer >= 0 */
export function asCount(array: TypedArray, name: string): number {
  const [value] = array;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new CheckpointError(`loadState: entry '${name}' must be an integer >= 0, got ${value}; it is damaged.`);
}
