import * as tf from '@tensorflow/tfjs-core';
import { type RuntimeArray, typedArray } from './arrays.js';
import { CompileError } from './errors.js';
import type { OnnxTensor, TypedRuntime } from './runtime.js';
import { ownerOf } from './tracingBackend.js';

/** The part of the cpu backend that is used to share arrays with it. */
interface CpuBackend extends tf.KernelBackend {
  readonly data: tf.DataStorage<CpuEntry>;
}

/** Where the cpu backend keeps the numbers of a tensor. */
interface CpuEntry {
  values: tf.backend_util.BackendValues;
}

/** What is known of a variable between calls. */
interface Slot {
  /** The variable's data when `tensor` was made, and its place in the cpu backend, if it is there. */
  dataId?: object;
  entry?: CpuEntry;
  /** What `entry` held. */
  source?: unknown;
  tensor?: OnnxTensor;
  /** A second buffer, which the next value is written to. */
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
    let pending: Promise<void>[] | undefined;
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
    return this.slot(variable).tensor!;
  }

  /** The buffer for the next value of `variable`. */
  spare(variable: tf.Variable): OnnxTensor {
    const slot = this.slot(variable);
    slot.spare ??= this.onnxTensor(variable, typedArray(variable.dtype, variable.size));
    return slot.spare;
  }

  /** Makes {@link spare} the value of `variable`. */
  commit(variable: tf.Variable): void {
    const slot = this.slot(variable);
    const next = this.spare(variable);
    const owner = ownerOf(variable.dataId);
    if (slot.entry && slot.tensor && isCurrent(slot, variable, owner) && owner.refCount(variable.dataId) === 1) {
      slot.spare = slot.tensor;
      slot.tensor = next;
      slot.entry.values = next.data;
      slot.source = next.data;
      return;
    }
    const assigned = tf.tensor(next.data, variable.shape, variable.dtype);
    variable.assign(assigned);
    assigned.dispose();
    // Backends that may look at the array later keep it; wasm copies at once.
    const reusable = tf.getBackend() === 'wasm' ? slot.tensor : undefined;
    this.slots.set(variable, { ...placeOf(variable), tensor: next, spare: reusable });
  }

  private refreshOne(variable: tf.Variable): Promise<void> | undefined {
    if (variable.isDisposed) throw new CompileError(`compile: variable '${variable.name}' was disposed.`);
    const slot = this.slot(variable);
    const owner = ownerOf(variable.dataId);
    if (slot.tensor && isCurrent(slot, variable, owner)) return undefined;
    const place = placeOf(variable);
    const keep = (numbers: RuntimeArray) => {
      Object.assign(slot, place, { tensor: this.onnxTensor(variable, typedArray(variable.dtype, numbers)) });
    };
    if (place.entry) return void keep(place.source as RuntimeArray);
    return variable.data().then((numbers) => keep(numbers.slice() as RuntimeArray));
  }

  private slot(variable: tf.Variable): Slot {
    let slot = this.slots.get(variable);
    if (!slot) {
      slot = {};
      this.slots.set(variable, slot);
    }
    return slot;
  }

  private onnxTensor(variable: tf.Variable, data: RuntimeArray): OnnxTensor {
    return new this.runtime.Tensor(variable.dtype, data, [...variable.shape]);
  }
}

/** Whether the numbers are still those that `slot` knows. */
function isCurrent(slot: Slot, variable: tf.Variable, owner: tf.KernelBackend): boolean {
  if (slot.dataId !== variable.dataId || isCpu(owner) !== (slot.entry !== undefined)) return false;
  return slot.entry?.values === slot.source;
}

function placeOf(variable: tf.Variable): Pick<Slot, 'dataId' | 'entry' | 'source'> {
  const owner = ownerOf(variable.dataId);
  const entry = isCpu(owner) ? owner.data.get(variable.dataId) : undefined;
  return { dataId: variable.dataId, entry, source: entry?.values };
}

function isCpu(backend: tf.KernelBackend): backend is CpuBackend {
  return backend === tf.findBackend('cpu');
}
