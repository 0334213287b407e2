import * as tf from '@tensorflow/tfjs-core';
import type { StateArray } from '../state.js';

/** Named arrays with shapes, as they go into a {@link Program}. */
export type Arrays = Record<string, StateArray>;

/** A traceable function of named tensors. What it reads and assigns besides are variables. */
export type TensorProgram<In extends string, Out extends string> = (
  inputs: Record<In, tf.Tensor>,
) => Record<Out, tf.Tensor>;

/** The same function from typed arrays to typed arrays. */
export interface Program<In extends string, Out extends string> {
  (inputs: Record<In, StateArray>): Promise<Record<Out, Float32Array>>;
  dispose(): void;
}

/** Runs `program` op by op on the current backend. */
export function eager<In extends string, Out extends string>(program: TensorProgram<In, Out>): Program<In, Out> {
  const run = async (inputs: Record<In, StateArray>) => {
    const outputs = tf.tidy(() => program(mapValues(inputs, toTensor)));
    const read = await Promise.all(Object.values<tf.Tensor>(outputs).map((tensor) => tensor.data()));
    tf.dispose(outputs);
    return Object.fromEntries(Object.keys(outputs).map((name, i) => [name, read[i]])) as Record<Out, Float32Array>;
  };
  return Object.assign(run, { dispose: () => undefined });
}

function toTensor({ data, shape }: StateArray): tf.Tensor {
  return tf.tensor(data as Float32Array, shape as number[], 'float32');
}

function mapValues<K extends string, A, B>(record: Record<K, A>, map: (value: A) => B): Record<K, B> {
  return Object.fromEntries(Object.entries<A>(record).map(([name, value]) => [name, map(value)])) as Record<K, B>;
}

/** Makes programs: compiled, or {@link eager}. */
export type Compiler = <In extends string, Out extends string>(program: TensorProgram<In, Out>) => Program<In, Out>;

/** The compiler to use: {@link eager} if `compile` is `false` or no runtime is installed. */
export async function selectCompiler(_compile = true): Promise<Compiler> {
  return eager;
}
