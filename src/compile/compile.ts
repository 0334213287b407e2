import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, requireInteger, requireOneOf, show } from '../errors.js';
import { requireOptions } from '../options.js';
import { type RuntimeArray, type TensorLike, typedArray } from './arrays.js';
import { checkEngineOptions, type EngineOptions, openEngines } from './engine.js';
import { CompileError } from './errors.js';
import { Executable, type ResultArray } from './executable.js';
import { fastest } from './fastest.js';
import { oncePerProcess } from './oncePerProcess.js';
import { Queue } from './queue.js';
import type { BakedRates } from './rates.js';
import { fetchBeforeReads, isAtHand } from './resident.js';
import { sameShape } from './shapes.js';
import { inputInfo, Signature } from './signature.js';
import { type InputInfo, trace } from './trace.js';

/** A result in the form of typed arrays. */
export interface ArrayOf<T extends tf.Tensor = tf.Tensor> {
  readonly data: RuntimeArray;
  readonly shape: T['shape'];
}

/** The arguments of a function, where every tensor may also be a typed array with shape. */
export type CompiledArguments<T> = T extends tf.Tensor
  ? TensorLike
  : T extends boolean | string | null | undefined
    ? T
    : { [K in keyof T]: CompiledArguments<T[K]> };

/** The result of a function with typed arrays in the places of tensors. */
export type ArrayResult<T> = T extends tf.Tensor
  ? ArrayOf<T>
  : T extends object
    ? { [K in keyof T]: ArrayResult<T[K]> }
    : T;

/** Options of {@link compile}. */
export interface CompileOptions extends EngineOptions {
  /** A name for error messages (default: the name of the function). */
  name?: string;
  /** How many graphs are kept, one per combination of input shapes; default 8. The one unused for longest goes. */
  maxGraphs?: number;
  /** Whether results are tfjs tensors (default), to be disposed by the caller, or typed arrays with shape. */
  outputs?: 'tensors' | 'arrays';
  /** Sees every result before variables are assigned; if it throws, they keep their values and the call rejects. */
  accept?: (result: never) => void;
}

/** A function that runs in ONNX Runtime. */
export interface CompiledFunction<Args extends unknown[], Result> {
  /** Runs the function. Calls of all compiled functions run one after the other, in the order they are made. */
  (...args: { [I in keyof Args]: CompiledArguments<Args[I]> }): Promise<Result>;
  /** How many graphs are kept now: one per combination of input shapes, `maxGraphs` at most. */
  readonly graphs: number;
  /** The graphs as text, one operator a line: what the function became. */
  readonly text: string;
  /** Frees all graphs; the function cannot be called afterwards. */
  dispose(): Promise<void>;
}

/**
 * Makes a tfjs function run in ONNX Runtime. At the first call with given input shapes `fn` runs once on symbolic
 * tensors, and all kernels it calls - gradients and optimisers included - become one graph; later calls run the graph.
 *
 * Variables that `fn` reads are inputs of the graph and variables it assigns are outputs, so compiled and eager code
 * see the same values. Everything else `fn` reads is baked in: numbers, and tensors that are not arguments. Calls with
 * new sizes are traced again; structure, dtypes and ranks are fixed by the first call.
 *
 * @param fn synchronous, with tensors, booleans, strings, null and nested arrays and objects of them as arguments
 * @throws ArgumentError for bad options; the returned function rejects with ArgumentError for arguments that do not
 *   fit, {@link CompileError} for what cannot be compiled, and MissingPackageError if ONNX Runtime is not installed
 */
export function compile<Args extends unknown[], Result>(
  fn: (...args: Args) => Result,
  options: CompileOptions & { outputs: 'arrays' },
): CompiledFunction<Args, ArrayResult<Result>>;
export function compile<Args extends unknown[], Result>(
  fn: (...args: Args) => Result,
  options?: CompileOptions,
): CompiledFunction<Args, Result>;
export function compile(fn: (...args: never[]) => unknown, options: CompileOptions = {}) {
  if (typeof fn !== 'function') throw new ArgumentError(`compile: fn must be a function, got ${show(fn)}.`);
  const program = new Program(fn as (...args: unknown[]) => unknown, options);
  const call = (...args: unknown[]) => program.call(args);
  return Object.defineProperties(call, {
    graphs: { get: () => program.graphs },
    text: { get: () => program.text },
    dispose: { value: () => program.dispose() },
  });
}

/** Calls of all compiled functions run one by one, because functions may share variables. */
const queue = oncePerProcess('queue', () => new Queue());

/** A graph, and the shapes of the tensor arguments it is for. */
interface Version {
  readonly shapes: readonly (readonly number[])[];
  readonly title: string;
  readonly rates: BakedRates;
  readonly executable: Executable;
}

class Program {
  private readonly name: string;
  private readonly finish: (result: ResultArray) => unknown;
  /** The one used last is last. */
  private readonly versions: Version[] = [];
  private readonly maxGraphs: number;
  private warned = false;
  private signature?: Signature;
  private disposed = false;

  constructor(
    private readonly fn: (...args: unknown[]) => unknown,
    private readonly options: CompileOptions,
  ) {
    requireOptions('compile', options, {
      name: true,
      maxGraphs: true,
      outputs: true,
      accept: true,
      device: true,
      threads: true,
      runtime: true,
      executionProviders: true,
      sessionOptions: true,
      worker: true,
    });
    this.name = options.name ?? (fn.name || 'compiled function');
    checkEngineOptions('compile', options);
    this.maxGraphs = requireInteger('compile', 'maxGraphs', options.maxGraphs ?? 8, { min: 1 });
    const outputs = requireOneOf('compile', 'outputs', options.outputs ?? 'tensors', ['tensors', 'arrays']);
    this.finish = outputs === 'tensors' ? asTensor : asArray;
  }

  get graphs(): number {
    return this.versions.length;
  }

  get text(): string {
    return this.versions.map(({ title, executable }) => `# ${title}\n${executable.text}\n`).join('\n');
  }

  async call(args: unknown[]): Promise<unknown> {
    if (this.disposed) throw new CompileError(`${this.name}: was disposed.`);
    const signature = this.signature ?? new Signature(this.name, args);
    const tensors = signature.read(args);
    const shapes = tensors.map(({ shape }) => shape);
    const numbers = readNumbers(tensors);
    return queue.run(async () => {
      if (this.signature && this.signature !== signature) this.signature.read(args);
      const inputs = Array.isArray(numbers) ? numbers : await numbers;
      const { executable, rates } = this.known(shapes) ?? (await this.load(signature, tensors.map(inputInfo), inputs));
      rates.check(this.name);
      return executable.run(inputs, this.finish, this.options.accept);
    });
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    await queue.run(() => Promise.all(this.versions.splice(0).map(({ executable }) => executable.release())));
  }

  /** The version for these shapes, which is the one used last from now on. */
  private known(shapes: Version['shapes']): Version | undefined {
    const { versions } = this;
    const at = versions.findLastIndex((version) => shapes.every((shape, i) => sameShape(shape, version.shapes[i]!)));
    if (at < 0) return undefined;
    versions.push(...versions.splice(at, 1));
    return versions.at(-1);
  }

  private async load(
    signature: Signature,
    infos: readonly InputInfo[],
    inputs: readonly RuntimeArray[],
  ): Promise<Version> {
    const engines = await openEngines(this.options);
    await tf.ready();
    fetchBeforeReads(queue);
    const { fn } = this;
    const traced = trace(this.name, infos, (symbols) => fn(...signature.fill(symbols)));
    const made: Executable[] = [];
    for (const engine of engines) made.push(await Executable.create(traced, engine, this.name));
    const executable = this.options.device === 'auto' ? await fastest(made, inputs, this.name) : made[0]!;
    await this.makeRoom(signature, infos);
    const version = {
      shapes: infos.map(({ shape }) => [...shape]),
      title: signature.describe(infos),
      rates: traced.rates,
      executable,
    };
    this.versions.push(version);
    this.signature = signature;
    return version;
  }

  /** Lets go of the graph unused for longest if there are as many as may be, with one warning. */
  private async makeRoom(signature: Signature, infos: readonly InputInfo[]): Promise<void> {
    if (this.versions.length < this.maxGraphs) return;
    const shapes = [...this.versions.map((version) => version.shapes), infos.map(({ shape }) => shape)];
    await this.versions.shift()!.executable.release();
    if (this.warned) return;
    this.warned = true;
    const changed = signature.describe(infos, (i) => new Set(shapes.map((list) => `${list[i]}`)).size > 1);
    console.warn(
      `diffrl: ${this.name} was called with more than ${this.maxGraphs} combinations of shapes, last ${changed}; each is ` +
        'traced anew, and the graph unused for longest is dropped. Call it with fewer sizes, or raise maxGraphs.',
    );
  }
}

/** The numbers of all tensor arguments as they are now; a promise if a backend must be waited for. */
function readNumbers(tensors: readonly TensorLike[]): RuntimeArray[] | Promise<RuntimeArray[]> {
  const numbers = tensors.map(numbersOf);
  if (!numbers.some((entry) => entry instanceof Promise)) return numbers as RuntimeArray[];
  const all = Promise.all(numbers);
  all.catch(() => {}); // Reported by the call, which may have to wait for its turn.
  return all;
}

function numbersOf(argument: TensorLike): RuntimeArray | Promise<RuntimeArray> {
  if (!(argument instanceof tf.Tensor)) return argument.data.slice() as RuntimeArray;
  const read = (values: ArrayLike<number>) => typedArray(argument.dtype, values);
  return isAtHand(argument.dataId) ? read(argument.dataSync()) : argument.data().then(read);
}

function asTensor({ data, shape, dtype }: ResultArray): tf.Tensor {
  return tf.tensor(data, [...shape], dtype);
}

function asArray({ data, shape }: ResultArray): ArrayOf {
  return { data, shape: [...shape] };
}
