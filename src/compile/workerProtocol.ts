import type { RuntimeArray, RuntimeType } from './arrays.js';

/** A tensor on its way between threads. */
export interface TensorMessage {
  readonly type: RuntimeType;
  readonly data: RuntimeArray;
  readonly dims: readonly number[];
  /** Names an array in shared memory, whose numbers never change. */
  readonly key?: string;
}

export type TensorMessages = Readonly<Record<string, TensorMessage>>;

/** What is asked of the worker. */
export type EngineRequest =
  | { readonly kind: 'open' }
  /** `shared`: the outputs that will be inputs again, which are put into shared memory. */
  | { readonly kind: 'load'; readonly file: Uint8Array; readonly options: object; readonly shared: readonly string[] }
  | { readonly kind: 'run'; readonly session: number; readonly feeds: TensorMessages }
  | { readonly kind: 'release'; readonly session: number };

/** What it answers to each, in order: nothing, the number of the session, its outputs, nothing; or why it cannot. */
export type EngineReply = { readonly value?: number | TensorMessages } | { readonly fault: string };

/** Copies of arrays in one block of shared memory, with names that begin with `prefix`. */
export function shareArrays<Name extends string>(
  arrays: Readonly<Record<Name, RuntimeArray>>,
  prefix: string,
): Record<Name, { data: RuntimeArray; key: string }> {
  const entries = Object.entries<RuntimeArray>(arrays);
  const sizes = entries.map(([, { byteLength }]) => Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT);
  const memory = new SharedArrayBuffer(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  const shared = entries.map(([name, array], i) => {
    const Class = array.constructor as new (buffer: SharedArrayBuffer, at: number, length: number) => RuntimeArray;
    const data = new Class(memory, at, array.length);
    data.set(array);
    at += sizes[i]!;
    return [name, { data, key: `${prefix}/${name}` }];
  });
  return Object.fromEntries(shared);
}

/** Bytes between the starts of arrays are a multiple of this. */
const ALIGNMENT = 64;
