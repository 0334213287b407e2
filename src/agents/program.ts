import * as tf from '@tensorflow/tfjs-core';
import type { EngineOptions } from '../compile/engine.js';
import { ArgumentError, show } from '../errors.js';
import { BACKEND_PACKAGES, ensureBackend } from '../ops/backend.js';
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

/** Makes programs: compiled, or run op by op on the current backend. */
export type Compiler = <In extends string, Out extends string>(program: TensorProgram<In, Out>) => Program<In, Out>;

let warned = false;

/**
 * The compiler for agents: graphs in ONNX Runtime, or op by op if `compile` is `false`. With `true`, also where no runtime
 * is installed, with one warning. Sees to it that there is a backend: the plain `cpu` one for graphs, whose memory
 * they share, else the best one.
 *
 * @throws ArgumentError for options that do not exist or fit, MissingPackageError if an engine with given options is not there
 */
export async function selectCompiler(compile: boolean | EngineOptions = true): Promise<Compiler> {
  const compiler = compile === false ? undefined : await graphCompiler(compile);
  await ensureBackend(compiler && ['@tensorflow/tfjs-backend-cpu', ...BACKEND_PACKAGES]);
  return compiler ?? eager;
}

async function graphCompiler(compile: true | EngineOptions): Promise<Compiler | undefined> {
  const room = await import('../compile/index.js');
  if (compile !== true) {
    room.checkEngineOptions('Agent: compile', engineOptions(compile), true);
    await room.openEngine(compile);
    return (program) => compiled(room.compile, program, compile);
  }
  if (await room.isCompileAvailable()) return (program) => compiled(room.compile, program);
  if (!warned) {
    warned = true;
    console.warn(
      'diffrl: onnxruntime-node is not installed, so agents run op by op, many times slower. ' +
        'Run `npm install onnxruntime-node`, or pass `compile: false` if that is what you want.',
    );
  }
  return undefined;
}

function engineOptions(compile: unknown): EngineOptions {
  if (typeof compile === 'object' && compile !== null && !Array.isArray(compile)) return compile;
  throw new ArgumentError(`Agent: compile must be true, false or options of the engine, got ${show(compile)}.`);
}

function compiled<In extends string, Out extends string>(
  compile: typeof import('../compile/index.js').compile,
  program: TensorProgram<In, Out>,
  options: EngineOptions = {},
): Program<In, Out> {
  const graph = compile(program, { ...options, outputs: 'arrays' });
  const run = async (inputs: Record<In, StateArray>) => {
    const outputs = await graph(inputs as never);
    return mapValues(outputs as Record<Out, { data: unknown }>, ({ data }) => data as Float32Array);
  };
  return Object.assign(run, { dispose: () => void graph.dispose() });
}
