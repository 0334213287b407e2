import * as tf from '@tensorflow/tfjs-core';
import type { EngineOptions } from '../compile/engine.js';
import { ArgumentError, show } from '../errors.js';
import { BACKEND_PACKAGES, ensureBackend } from '../ops/backend.js';
import type { StateArray } from '../state.js';

/** Named arrays with shapes, as they go into a {@link Program}. */
export type Arrays = Record<string, StateArray>;

/** Tensors by name; those that a call may leave out are optional. */
export type Tensors = { readonly [name: string]: tf.Tensor | undefined };

/** The numbers of a program's outputs. */
export type Outputs<Out extends string> = Record<Out, Float32Array>;

/** Outputs that are scalars, as numbers. */
export function numbers<Out extends string>(outputs: Outputs<Out>): Record<Out, number> {
  return mapValues(outputs, ([value]) => value as number);
}

/** A traceable function of named tensors. What it reads and assigns besides are variables. */
export type TensorProgram<In extends Tensors, Out extends string> = (inputs: In) => Record<Out, tf.Tensor>;

/** The same function from typed arrays to typed arrays. */
export interface Program<In extends Tensors, Out extends string> {
  (inputs: { readonly [Name in keyof In]: StateArray }): Promise<Outputs<Out>>;
  dispose(): void;
}

/** Sees the outputs of a run; if it throws, all variables keep the values they had before. */
export type Accept<Out extends string> = (outputs: Outputs<Out>) => void;

/** Makes programs: compiled, or run op by op on the current backend. */
export type Compiler = <In extends Tensors, Out extends string>(
  program: TensorProgram<In, Out>,
  accept?: Accept<Out>,
) => Program<In, Out>;

/** Runs programs op by op on the current backend. */
export const eager: Compiler = (program, accept) => {
  const run = async (inputs: Record<string, StateArray>) => {
    const undo = accept && rememberVariables();
    let outputs: Record<string, tf.Tensor> = {};
    try {
      outputs = tf.tidy(() => program(mapValues(inputs, toTensor) as never));
      const read = await Promise.all(Object.values(outputs).map((tensor) => tensor.data()));
      const results = Object.fromEntries(Object.keys(outputs).map((name, i) => [name, read[i]])) as never;
      accept?.(results);
      return results;
    } catch (error) {
      undo?.restore();
      throw error;
    } finally {
      tf.dispose(outputs);
      undo?.forget();
    }
  };
  return Object.assign(run as never, { dispose: () => undefined });
};

/** The values that all variables have now, without a copy: an assignment gives a variable another array. */
function rememberVariables() {
  const values = Object.values(tf.engine().registeredVariables).map(
    (variable) => [variable, tf.clone(variable)] as const,
  );
  return {
    restore: () => values.forEach(([variable, value]) => variable.assign(value)),
    forget: () => values.forEach(([, value]) => value.dispose()),
  };
}

function toTensor({ data, shape }: StateArray): tf.Tensor {
  return tf.tensor(data as Float32Array, shape as number[], 'float32');
}

function mapValues<K extends string, A, B>(record: { readonly [Name in K]: A }, map: (value: A) => B): Record<K, B> {
  return Object.fromEntries(Object.entries<A>(record).map(([name, value]) => [name, map(value)])) as Record<K, B>;
}

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
    return (program, accept) => compiled(room.compile, program, accept, compile);
  }
  if (await room.isCompileAvailable()) return (program, accept) => compiled(room.compile, program, accept);
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

function compiled<In extends Tensors, Out extends string>(
  compile: typeof import('../compile/index.js').compile,
  program: TensorProgram<In, Out>,
  accept: Accept<Out> | undefined,
  options: EngineOptions = {},
): Program<In, Out> {
  const arrays = (outputs: Record<Out, { data: unknown }>) => mapValues(outputs, ({ data }) => data as Float32Array);
  const graph = compile(program, {
    ...options,
    outputs: 'arrays',
    accept: accept && ((outputs: Record<Out, { data: unknown }>) => accept(arrays(outputs))),
  });
  const run = async (inputs: { readonly [Name in keyof In]: StateArray }) => {
    return arrays((await graph(inputs as never)) as Record<Out, { data: unknown }>);
  };
  return Object.assign(run, { dispose: () => void graph.dispose() });
}
