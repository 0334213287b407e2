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
  dataId: object;
  entry?: CpuEntry;
  /** What `entry` held. */
  source?: unknown;
  tensor: OnnxTensor;
}

/**
 * The variables of compiled functions as tensors of one runtime. On the cpu backend both use the same array. Arrays are
 * never written to: like an eager assignment, a new value comes in a new one.
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
    return this.slots.get(variable)!.tensor;
  }

  /** Gives `variable` a new value; the array belongs to it from now on. */
  assign(variable: tf.Variable, data: RuntimeArray): void {
    const slot = this.slots.get(variable);
    const owner = ownerOf(variable.dataId);
    if (slot?.entry && isCurrent(slot, variable, owner) && owner.refCount(variable.dataId) === 1) {
      slot.entry.values = data;
    } else {
      const assigned = tf.tensor(data, variable.shape, variable.dtype);
      variable.assign(assigned);
      assigned.dispose();
    }
    this.keep(variable, data);
  }

  private refreshOne(variable: tf.Variable): Promise<void> | undefined {
    if (variable.isDisposed) throw new CompileError(`compile: variable '${variable.name}' was disposed.`);
    const slot = this.slots.get(variable);
    const owner = ownerOf(variable.dataId);
    if (slot && isCurrent(slot, variable, owner)) return undefined;
    if (isCpu(owner)) {
      this.keep(variable, owner.data.get(variable.dataId).values as RuntimeArray);
      return undefined;
    }
    return variable.data().then((numbers) => this.keep(variable, numbers.slice() as RuntimeArray));
  }

  private keep(variable: tf.Variable, numbers: RuntimeArray): void {
    const { dataId, dtype, shape } = variable;
    const owner = ownerOf(dataId);
    const entry = isCpu(owner) ? owner.data.get(dataId) : undefined;
    const tensor = new this.runtime.Tensor(dtype, typedArray(dtype, numbers), [...shape]);
    this.slots.set(variable, { dataId, entry, source: entry?.values, tensor });
  }
}

/** Whether the numbers are still those that `slot` knows. */
function isCurrent(slot: Slot, variable: tf.Variable, owner: tf.KernelBackend): boolean {
  if (slot.dataId !== variable.dataId || isCpu(owner) !== (slot.entry !== undefined)) return false;
  return slot.entry?.values === slot.source;
}

function isCpu(backend: tf.KernelBackend): backend is CpuBackend {
  return backend === tf.findBackend('cpu');
}
