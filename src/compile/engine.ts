import {
  ArgumentError,
  MissingPackageError,
  requireInteger,
  requireObject,
  requireOneOf,
  requireText,
  show,
} from '../errors.js';
import { type Device, GpuTransfer, gpuProvider } from './device.js';
import { Home } from './home.js';
import { Lease } from './lease.js';
import { oncePerProcess } from './oncePerProcess.js';
import type { KeptOutput } from './plan.js';
import { loadRuntime, type OnnxRuntime, type OnnxSession, type TypedRuntime } from './runtime.js';
import { workerRuntime } from './workerRuntime.js';

/** What compiled functions run on. */
export interface EngineOptions {
  /**
   * `'cpu'` (default), `'gpu'`: a graphics card of any vendor by WebGPU, in Node too, or by CUDA where the installed
   * onnxruntime-node has it; or `'auto'`: tries the first call on both and says which takes less time.
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
  /**
   * Whether `onnxruntime-node` computes in a thread of its own, default `false`: this one stays free meanwhile for timers,
   * servers and environments. Results are the same bit for bit; each call takes a fraction of a millisecond longer.
   */
  worker?: boolean;
}

const NAMES: readonly string[] = ['device', 'threads', 'runtime', 'executionProviders', 'sessionOptions', 'worker'];

/** With no operator of this many floating point operations, threads cost more time than they save. */
const WORTH_THREADS = 4e6;

/**
 * Threads that wait for work keep a core busy for this long only. By default it is many times longer, which halves the
 * speed where something else uses the cores too: another session, environments in workers.
 */
export const SHORT_SPINNING = { session: { force_spinning_stop: '1', intra_op: { spin_duration_us: '50' } } };

/** ONNX Runtime on one device. */
export interface Engine {
  readonly device: Exclude<Device, 'auto'>;
  /** The variables as its tensors. */
  readonly home: Home;
  /** Loads a model whose largest operator takes `largest` floating point operations, and whose outputs `kept` will be inputs again. */
  load(file: Uint8Array, largest: number, kept: readonly KeptOutput[]): Promise<OnnxSession>;
}

/** @throws ArgumentError for a value that is not allowed, and for unknown names if only engine options may occur */
export function checkEngineOptions(where: string, options: EngineOptions, only = false): void {
  requireText('checkEngineOptions', 'where', where);
  requireObject(where, 'options', options);
  const unknown = only && Object.keys(options).find((name) => !NAMES.includes(name));
  if (unknown) throw new ArgumentError(`${where}: unknown option '${unknown}'; there are ${NAMES.join(', ')}.`);
  const { device, threads, runtime, executionProviders } = options;
  if (device !== undefined) requireOneOf(where, 'device', device, ['cpu', 'gpu', 'auto']);
  if (threads !== undefined) requireInteger(where, 'threads', threads, { min: 0 });
  if (runtime !== undefined && !runtime?.InferenceSession) {
    throw new ArgumentError(`${where}: runtime must be ONNX Runtime as a module, got ${show(runtime)}.`);
  }
  const { worker } = options;
  if (worker !== undefined) requireOneOf(where, 'worker', worker, [true, false]);
  if (worker && ((device ?? 'cpu') !== 'cpu' || runtime || executionProviders)) {
    throw new ArgumentError(
      `${where}: worker is onnxruntime-node on the processor; give no other device, runtime or executionProviders.`,
    );
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
  checkEngineOptions('openEngine', options);
  const runtime = options.worker
    ? await workerRuntime()
    : ((options.runtime ?? (await loadRuntime())) as unknown as TypedRuntime);
  const { device, threads, sessionOptions } = options;
  const executionProviders = device === 'gpu' ? [await gpuProvider(runtime)] : options.executionProviders;
  const home = homeOf(runtime, device === 'gpu' ? (executionProviders![0] as string) : 'host');
  return {
    device: device === 'gpu' ? 'gpu' : 'cpu',
    home,
    load: async (file, largest, kept) => {
      const away = kept.filter(({ type }) => home.keepsAway(type)).map(({ name }) => name);
      const session = await runtime.InferenceSession.create(file, {
        graphOptimizationLevel: 'all',
        intraOpNumThreads: threads ?? (largest < WORTH_THREADS ? 1 : 0),
        logSeverityLevel: 3,
        extra: SHORT_SPINNING,
        ...(away.length > 0 && {
          preferredOutputLocation: Object.fromEntries(away.map((name) => [name, 'gpu-buffer'])),
        }),
        ...(executionProviders && { executionProviders }),
        ...(options.worker && { shared: kept.map(({ name }) => name) }),
        ...sessionOptions,
      });
      return away.length > 0 ? new Lease(session, away) : session;
    },
  };
}

/** The engines that `options` leave to choose from: with `device: 'auto'` the graphics card too, where there is one. */
export async function openEngines(options: EngineOptions): Promise<Engine[]> {
  const first = await openEngine(options);
  if (options.device !== 'auto') return [first];
  try {
    return [first, await openEngine({ ...options, device: 'gpu' })];
  } catch (cause) {
    if (cause instanceof MissingPackageError) return [first];
    throw cause;
  }
}

const homes = oncePerProcess('homes', () => new WeakMap<TypedRuntime, Record<string, Home>>());

/** The one home of a runtime's tensors on the host, or of those on the device behind a provider. */
function homeOf(runtime: TypedRuntime, place: string): Home {
  const known = homes.get(runtime) ?? { host: new Home(runtime) };
  homes.set(runtime, known);
  if (place === 'webgpu') known.webgpu ??= new Home(runtime, { host: known.host!, transfer: new GpuTransfer(runtime) });
  return known[place] ?? known.host!;
}
