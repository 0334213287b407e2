import * as tf from '@tensorflow/tfjs-core';
import { requireEntry, type StateDict, type Stateful } from '../state.js';

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

/**
 * Assigns every variable from `state`.
 *
 * @throws CheckpointError if an entry is missing or has another size; then nothing has changed
 */
export function assignVariables(variables: Variables, state: StateDict): void {
  const entries = Object.entries(variables).map(([name, variable]) => {
    return [variable, requireEntry(state, name, variable.size) as Float32Array] as const;
  });
  for (const [variable, data] of entries) {
    const value = tf.tensor(data.slice(), variable.shape, variable.dtype as 'float32');
    variable.assign(value);
    value.dispose();
  }
}

/** `variables` as something that can be saved. */
export function variablesAsState(variables: Variables): Stateful {
  return { state: () => readVariables(variables), loadState: (state) => assignVariables(variables, state) };
}

/** Frees all variables. */
export function disposeVariables(variables: Variables): void {
  for (const variable of Object.values(variables)) variable.dispose();
}
