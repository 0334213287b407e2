import * as tf from '@tensorflow/tfjs-core';
import { type RuntimeArray, typedArray } from './arrays.js';
import { CompileError } from './errors.js';
import { type CpuBackend, isResident, keepIn, numbersIn, Resident } from './resident.js';
import type { OnnxTensor, TypedRuntime } from './runtime.js';
import { ownerOf } from './tracingBackend.js';

/** What moves tensors between the host and a device. */
export interface Transfer {
  place(tensor: OnnxTensor): Promise<OnnxTensor>;
  fetch(tensor: OnnxTensor): Promise<RuntimeArray>;
}

/**
 * Variables as tensors of one runtime on one device. A value that is computed stays there, as a {@link Resident} of the
 * cpu backend. Arrays are never written to: as in an eager assignment, a new value comes in a new one.
 */
export class Home {
  /** Tensors of variables that another backend owns, and the data they were made of. */
  private readonly foreign = new WeakMap<tf.Variable, { dataId: object; tensor: OnnxTensor }>();

  /** @param device for one with a memory of its own: how to reach it, and where the runtime's tensors of the host are */
  constructor(
    private readonly runtime: TypedRuntime,
    private readonly device?: { readonly transfer: Transfer; readonly host: Home },
  ) {}

  /** Whether values of this type stay on a device with a memory of its own; all but numbers are small and few. */
  keepsAway(dtype: string): boolean {
    return this.device !== undefined && dtype === 'float32';
  }

  /** Makes {@link tensor} current for `variables`; a promise if something must be waited for. */
  prepare(variables: readonly tf.Variable[]): Promise<unknown> | undefined {
    let pending: Promise<void>[] | undefined;
    for (const variable of variables) {
      const preparing = this.prepareOne(variable);
      if (!preparing) continue;
      pending ??= [];
      pending.push(preparing);
    }
    return pending && Promise.all(pending);
  }

  /** What `variable` holds; call {@link prepare} before. */
  tensor(variable: tf.Variable): OnnxTensor {
    const owner = ownerOf(variable.dataId);
    const entry = isCpu(owner) && owner.data.get(variable.dataId);
    return entry && isResident(entry) ? entry.tensorAt(this, variable.shape)! : this.foreign.get(variable)!.tensor;
  }

  /** Gives `variable` a new value, which belongs to it from now on; a promise if a device must be waited for. */
  assign(variable: tf.Variable, tensor: OnnxTensor): Promise<void> | undefined {
    const { dataId, dtype, shape } = variable;
    const owner = ownerOf(dataId);
    if (isCpu(owner) && owner.refCount(dataId) === 1) {
      const entry = owner.data.get(dataId);
      if (isResident(entry)) entry.replace(this, tensor);
      else keepIn(owner, dataId, new Resident(dtype, this, tensor));
      return undefined;
    }
    const backend = tf.backend();
    if (isCpu(backend)) {
      const made = {};
      keepIn(backend, made, new Resident(dtype, this, tensor));
      return assignAndDispose(variable, tf.engine().makeTensorFromTensorInfo({ dataId: made, shape, dtype }, backend));
    }
    if (tensor.location === 'cpu') return assignAndDispose(variable, tf.tensor(tensor.data, shape, dtype));
    return this.fetch(tensor).then((numbers) => assignAndDispose(variable, tf.tensor(numbers, shape, dtype)));
  }

  /** Numbers as a tensor of this home. */
  place(dtype: tf.DataType, numbers: RuntimeArray, shape: readonly number[]): OnnxTensor | Promise<OnnxTensor> {
    const tensor = this.onHost(dtype, numbers, shape);
    return this.keepsAway(dtype) ? this.device!.transfer.place(tensor) : tensor;
  }

  /** A tensor that uses an array of the host, or a copy where the runtime cannot read it there. */
  onHost(dtype: tf.DataType, numbers: RuntimeArray, shape: readonly number[]): OnnxTensor {
    const array = typedArray(dtype, numbers);
    const isReadable = this.runtime.readsShared || !isShared(array);
    return new this.runtime.Tensor(dtype, isReadable ? array : array.slice(), [...shape]);
  }

  /** The numbers of a tensor of this home that is on the device. */
  fetch(tensor: OnnxTensor): Promise<RuntimeArray> {
    return this.device!.transfer.fetch(tensor);
  }

  private prepareOne(variable: tf.Variable): Promise<void> | undefined {
    if (variable.isDisposed) throw new CompileError(`compile: variable '${variable.name}' was disposed.`);
    const { dataId, dtype, shape } = variable;
    const owner = ownerOf(dataId);
    if (!isCpu(owner)) return this.foreign.get(variable)?.dataId === dataId ? undefined : this.read(variable);
    let entry = owner.data.get(dataId);
    if (!isResident(entry)) {
      const host = this.onHost(dtype, numbersIn(entry), shape);
      entry = new Resident(dtype, this.device?.host ?? this, host, entry.refCount);
      keepIn(owner, dataId, entry);
    }
    const resident = entry as Resident;
    return resident.tensorAt(this, shape) ? undefined : resident.bring(this, shape);
  }

  private async read(variable: tf.Variable): Promise<void> {
    const { dataId, dtype, shape } = variable;
    const numbers = (await variable.data()).slice() as RuntimeArray;
    this.foreign.set(variable, { dataId, tensor: await this.place(dtype, numbers, shape) });
  }
}

function assignAndDispose(variable: tf.Variable, value: tf.Tensor): undefined {
  variable.assign(value);
  value.dispose();
}

function isShared({ buffer }: RuntimeArray): boolean {
  return typeof SharedArrayBuffer === 'function' && buffer instanceof SharedArrayBuffer;
}

function isCpu(backend: tf.KernelBackend): backend is CpuBackend {
  return backend === tf.findBackend('cpu');
}
