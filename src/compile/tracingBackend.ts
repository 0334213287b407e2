import * as tf from '@tensorflow/tfjs-core';
import { CompileError } from './errors.js';
import { dataOf, type Value } from './graph.js';
import { EMITTERS, UNSUPPORTED } from './kernels/index.js';

export const TRACING_BACKEND = 'diffrl-compile';

/** What the backend hands its work to while a function is traced. */
export interface KernelRecorder {
  /** A constant with these numbers. */
  constant(values: tf.backend_util.BackendValues, shape: readonly number[], dtype: tf.DataType): Value;
  /** The numbers of a value, if it is a constant. */
  read(value: Value): tf.backend_util.BackendValues;
  /** Records a kernel. */
  kernel(name: string, inputs: tf.NamedTensorInfoMap, attributes: object): Value | Value[];
  unsupported(name: string, inputs: tf.NamedTensorInfoMap, reason: string): never;
}

/** A tfjs backend whose tensors are values of a graph, and whose kernels add to it. */
export class TracingBackend extends tf.KernelBackend {
  recorder?: KernelRecorder;
  private readonly entries = new Map<object, { value: Value; references: number }>();

  lookup(dataId: object): Value | undefined {
    return this.entries.get(dataId)?.value;
  }

  /** A description of a new tensor that stands for `value`. */
  tensorInfo(value: Value): tf.TensorInfo {
    const dataId = {};
    this.entries.set(dataId, { value, references: 1 });
    return { dataId, shape: [...value.shape], dtype: value.type as tf.DataType };
  }

  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    return this.tensorInfo(this.recording().constant(values, shape, dtype)).dataId;
  }

  override move(dataId: object, values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): void {
    this.entries.set(dataId, { value: this.recording().constant(values, shape, dtype), references: 1 });
  }

  override readSync(dataId: object): tf.backend_util.BackendValues {
    return this.recording().read(this.entries.get(dataId)!.value);
  }

  override read(dataId: object): Promise<tf.backend_util.BackendValues> {
    return Promise.resolve(this.readSync(dataId));
  }

  override refCount(dataId: object): number {
    return this.entries.get(dataId)?.references ?? 0;
  }

  /** Also called for tensors of other backends, when one is assigned to a variable. */
  override incRef(dataId: object): void {
    const entry = this.entries.get(dataId);
    if (entry) entry.references++;
    else ownerOf(dataId).incRef(dataId);
  }

  override disposeData(dataId: object, force = false): boolean {
    const entry = this.entries.get(dataId);
    if (!entry) return true;
    entry.references--;
    if (entry.references > 0 && !force) return false;
    this.entries.delete(dataId);
    return true;
  }

  /** Hands the tensors that outlive a trace to `backend`, as zeros if they hold no numbers; whether there were such. */
  settle(backend: tf.KernelBackend): boolean {
    let symbolic = false;
    for (const [dataId, { value, references }] of this.entries) {
      const info = tf.engine().state.tensorInfo.get(dataId);
      if (!info) continue;
      symbolic ||= !value.constant;
      const numbers = dataOf(value.constant ? value : { ...value, constant: { fill: 0 } });
      backend.move(dataId, numbers as tf.TypedArray, [...value.shape], info.dtype, references);
      info.backend = backend;
    }
    this.entries.clear();
    return symbolic;
  }

  override numDataIds(): number {
    return 0;
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override memory() {
    return { unreliable: true, reasons: ['tensors of a trace hold no numbers'] };
  }

  override dispose(): void {}

  private recording(): KernelRecorder {
    if (this.recorder) return this.recorder;
    throw new CompileError(
      'compile: a tensor made inside a compiled function was used after tracing. Return it from the function instead.',
    );
  }
}

/** The backend that holds the numbers of `dataId`. */
export function ownerOf(dataId: object): tf.KernelBackend {
  const info = tf.engine().state.tensorInfo.get(dataId);
  if (!info) throw new CompileError('compile: a tensor or variable that is already disposed was used.');
  return info.backend;
}

/** The tracing backend, registered with tfjs at the first call. */
export function tracingBackend(): TracingBackend {
  const known = tf.findBackend(TRACING_BACKEND) as TracingBackend | null;
  if (known) return known;
  const backend = new TracingBackend();
  tf.registerBackend(TRACING_BACKEND, () => backend, -1);
  const register = (kernelName: string, run: (args: KernelArguments) => tf.TensorInfo | tf.TensorInfo[]) =>
    tf.registerKernel({ kernelName, backendName: TRACING_BACKEND, kernelFunc: run as unknown as tf.KernelFunc });
  for (const name of Object.keys(EMITTERS)) {
    register(name, ({ inputs, attrs }) => {
      const result = backend.recorder!.kernel(name, inputs, attrs ?? {});
      return Array.isArray(result) ? result.map((value) => backend.tensorInfo(value)) : backend.tensorInfo(result);
    });
  }
  for (const [reason, names] of Object.entries(UNSUPPORTED)) {
    for (const name of names) register(name, ({ inputs }) => backend.recorder!.unsupported(name, inputs, reason));
  }
  return tf.findBackend(TRACING_BACKEND) as TracingBackend;
}

interface KernelArguments {
  inputs: tf.NamedTensorInfoMap;
  attrs: object | undefined;
}
