import { ArgumentError, requireInteger, requireOneOf, show } from '../errors.js';
import { type Device, gpuProvider } from './device.js';
import { oncePerProcess } from './oncePerProcess.js';
import { loadRuntime, type OnnxRuntime, type OnnxSession, type TypedRuntime } from './runtime.js';
import { VariableStore } from './variables.js';

/** What compiled functions run on. */
export interface EngineOptions {
  /**
   * `'cpu'` (default), or `'gpu'`: a graphics card of any vendor by WebGPU, in Node too, or by CUDA where the installed
   * onnxruntime-node has it.
   */
  device?: Device;
  /** Threads inside one operator; 0 stands for all cores. Default: one for graphs of small operators, else 0. */
  threads?: number;
  /** ONNX Runtime as a module (default: `onnxruntime-node` in Node, `onnxruntime-web` elsewhere). */
  runtime?: OnnxRuntime;
  /** Execution providers of ONNX Runtime in order of preference, in place of `device`. */
  executionProviders?: readonly unknown[];
  /** Further session options of ONNX Runtime. */
  sessionOptions?: Readonly<Record<string, unknown>>;
}

const NAMES: readonly string[] = ['device', 'threads', 'runtime', 'executionProviders', 'sessionOptions'];

/** With no operator of this many floating point operations, threads cost more time than they save. */
const WORTH_THREADS = 4e6;

/**
 * Threads that wait for work keep a core busy for this long only. By default it is many times longer, which halves the
 * speed where something else uses the cores too: another session, environments in workers.
 */
const SHORT_SPINNING = { session: { force_spinning_stop: '1', intra_op: { spin_duration_us: '50' } } };

/** ONNX Runtime on one device, and the variables as its tensors. */
export interface Engine {
  readonly runtime: TypedRuntime;
  readonly store: VariableStore;
  /** Loads a model whose largest operator takes `largest` floating point operations. */
  load(file: Uint8Array, largest: number): Promise<OnnxSession>;
}

/** @throws {@link ArgumentError} for a value that is not allowed, and for unknown names if only engine options may occur */
export function checkEngineOptions(where: string, options: EngineOptions, only = false): void {
  const unknown = only && Object.keys(options).find((name) => !NAMES.includes(name));
  if (unknown) throw new ArgumentError(`${where}: unknown option '${unknown}'; there are ${NAMES.join(', ')}.`);
  const { device, threads, runtime, executionProviders } = options;
  if (device !== undefined) requireOneOf(where, 'device', device, ['cpu', 'gpu']);
  if (threads !== undefined) requireInteger(where, 'threads', threads, { min: 0 });
  if (runtime !== undefined && !runtime?.InferenceSession) {
    throw new ArgumentError(`${where}: runtime must be ONNX Runtime as a module, got ${show(runtime)}.`);
  }
  if (executionProviders === undefined) return;
  if (!Array.isArray(executionProviders)) {
    throw new ArgumentError(`${where}: executionProviders must be a list, got ${show(executionProviders)}.`);
  }
  if (device) throw new ArgumentError(`${where}: give device or executionProviders, not both.`);
}

/**
 * Makes ready what `options` ask for.
 *
 * @throws MissingPackageError if ONNX Runtime is not installed, or has no such device here
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const runtime = (options.runtime ?? (await loadRuntime())) as unknown as TypedRuntime;
  const { device, threads, sessionOptions } = options;
  const executionProviders = device === 'gpu' ? [await gpuProvider(runtime)] : options.executionProviders;
  return {
    runtime,
    store: storeOf(runtime),
    load: (file, largest) =>
      runtime.InferenceSession.create(file, {
        graphOptimizationLevel: 'all',
        intraOpNumThreads: threads ?? (largest < WORTH_THREADS ? 1 : 0),
        logSeverityLevel: 3,
        extra: SHORT_SPINNING,
        ...(executionProviders && { executionProviders }),
        ...sessionOptions,
      }),
  };
}

const stores = oncePerProcess('stores', () => new WeakMap<TypedRuntime, VariableStore>());

function storeOf(runtime: TypedRuntime): VariableStore {
  const store = stores.get(runtime) ?? new VariableStore(runtime);
  stores.set(runtime, store);
  return store;
}
