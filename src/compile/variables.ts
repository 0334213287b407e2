import * as tf from '@tensorflow/tfjs-core';
import { type RuntimeArray, typedArray } from './arrays.js';
import { CompileError } from './errors.js';
import type { OnnxTensor, TypedRuntime } from './runtime.js';
import { ownerOf } from './tracingBackend.js';

/** The part of the cpu backend that is used to share arrays with it. */
interface CpuBackend extends tf.KernelBackend {
  readonly data: tf.DataStorage<{ values: tf.backend_util.BackendValues }>;
}

/** What is known of a variable between calls. */
interface Slot {
  dataId: object;
  /** What the backend held when `tensor` was made. */
  source: unknown;
  tensor: OnnxTensor;
  /** A second buffer, which the next result may be written to. */
  spare?: OnnxTensor;
}

/**
 * The variables of compiled functions as tensors of one runtime. On the cpu backend variable and runtime use the same
 * array; a new value is written to a second array, and the two change places.
 */
export class VariableStore {
  private readonly slots = new WeakMap<tf.Variable, Slot>();

  constructor(private readonly runtime: TypedRuntime) {}

  /** Makes {@link tensor} current for `variables`; a promise if a backend must be waited for. */
  refresh(variables: readonly tf.Variable[]): Promise<unknown> | undefined {
    let pending: Promise<unknown>[] | undefined;
    for (const variable of variables) {
      const reading = this.refreshOne(variable);
      if (!reading) continue;
      pending ??= [];
      pending.push(reading);
    }
    return pending && Promise.all(pending);
  }

  /** What `variable` holds; call {@link refresh} before. */
  tensor(variable: tf.Variable): OnnxTensor {
    return this.slots.get(variable)!.tensor;
  }

  /** A buffer for the next value of `variable`. */
  spare(variable: tf.Variable): OnnxTensor {
    const slot = this.slots.get(variable);
    if (slot?.spare) return slot.spare;
    const data = typedArray(variable.dtype, variable.size);
    const spare = new this.runtime.Tensor(variable.dtype, data, [...variable.shape]);
    if (slot) slot.spare = spare;
    return spare;
  }

  /** Makes `tensor`, which came from {@link spare}, the value of `variable`. */
  commit(variable: tf.Variable, tensor: OnnxTensor): void {
    const slot = this.slots.get(variable);
    const owner = ownerOf(variable.dataId);
    const values = tensor.data;
    if (slot && isCpu(owner) && owner.refCount(variable.dataId) === 1 && slot.source === slot.tensor.data) {
      owner.data.get(variable.dataId).values = values;
      slot.spare = slot.tensor;
      slot.source = values;
      slot.tensor = tensor;
      return;
    }
    const copies = owner === tf.findBackend('wasm') && owner === tf.backend();
    const assigned = tf.tensor(values, variable.shape, variable.dtype);
    variable.assign(assigned);
    assigned.dispose();
    const source = isCpu(ownerOf(variable.dataId)) ? values : undefined;
    this.slots.set(variable, { dataId: variable.dataId, source, tensor, spare: copies ? slot?.tensor : undefined });
  }

  private refreshOne(variable: tf.Variable): Promise<void> | undefined {
    if (variable.isDisposed) throw new CompileError(`compile: variable '${variable.name}' was disposed.`);
    const slot = this.slots.get(variable);
    const owner = ownerOf(variable.dataId);
    if (isCpu(owner)) {
      const { values } = owner.data.get(variable.dataId);
      if (slot?.source !== values) this.keep(variable, values, slot);
      return undefined;
    }
    if (slot?.dataId === variable.dataId) return undefined;
    return variable.data().then((values) => this.keep(variable, values.slice() as RuntimeArray, slot));
  }

  private keep(variable: tf.Variable, source: unknown, slot: Slot | undefined): void {
    const data = typedArray(variable.dtype, source as RuntimeArray);
    const tensor = new this.runtime.Tensor(variable.dtype, data, [...variable.shape]);
    this.slots.set(variable, { dataId: variable.dataId, source, tensor, spare: slot?.spare });
  }
}

function isCpu(backend: tf.KernelBackend): backend is CpuBackend {
  return backend === tf.findBackend('cpu');
}
