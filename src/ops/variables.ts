import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, requireObject, show } from '../errors.js';
import { readEntries, type StateDict, type Stateful, type TypedArray } from '../state.js';

/** Variables by name. The names are ours; tfjs's own are unique per process and mean nothing. */
export type Variables = Record<string, tf.Variable>;

/** `variables` with `prefix/` put before every name. */
export function prefixVariables(prefix: string, variables: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).map(([name, variable]) => [`${prefix}/${name}`, variable]));
}

/** Copies of all values, names and shapes kept. */
export async function readVariables(variables: Variables): Promise<StateDict> {
  const entries = Object.entries(variables).map(async ([name, variable]) => {
    const data = (await variable.data()).slice() as Float32Array;
    return [name, { shape: variable.shape, data }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Checks that `state` has a value for every variable and nothing else; the function returned assigns them. */
export function prepareVariables(variables: Variables, state: StateDict, parts?: readonly string[]): () => void {
  const sizes: Record<string, number> = {};
  for (const [name, { size }] of Object.entries(variables)) sizes[name] = size;
  const values = readEntries(state, sizes, parts);
  return () => {
    for (const [name, variable] of Object.entries(variables)) assignNumbers(variable, values[name]!);
  };
}

/** Gives a variable new numbers, as many as it has. */
export function assignNumbers(variable: tf.Variable, numbers: TypedArray): void {
  const value = tf.tensor(Float32Array.from(numbers), variable.shape, variable.dtype as 'float32');
  variable.assign(value);
  value.dispose();
}

/** `variables` as something that can be saved. */
export function variablesAsState(variables: Variables) {
  return {
    state: () => readVariables(variables),
    prepare: (state: StateDict) => prepareVariables(variables, state),
  } satisfies Stateful;
}

/** Frees all variables. */
export function disposeVariables(variables: Variables): void {
  for (const variable of Object.values(variables)) variable.dispose();
}

/** Throws an {@link ArgumentError} unless `variables` is an object of variables by name. */
export function requireVariables(where: string, name: string, variables: unknown): asserts variables is Variables {
  requireObject(where, name, variables);
  const odd = Object.entries(variables).find(([, variable]) => !(variable instanceof tf.Variable));
  if (odd) throw new ArgumentError(`${where}: ${name}.${odd[0]} must be a tf.Variable, got ${show(odd[1])}.`);
}
