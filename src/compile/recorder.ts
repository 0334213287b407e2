import * as tf from '@tensorflow/tfjs-core';
import { Builder } from './builder.js';
import type { RandomDraws } from './draws.js';
import { CompileError, callSite } from './errors.js';
import { type ConstantData, dataOf, type ElementType, type Value, type ValueInfo } from './graph.js';
import { emitterOf } from './kernels/index.js';
import { mapLeaves } from './structure.js';
import { type KernelRecorder, ownerOf, type TracingBackend } from './tracingBackend.js';

/** A tfjs variable and the value of the graph that stands for what it holds. */
export interface VariableValue {
  readonly variable: tf.Variable;
  readonly value: Value;
}

/** Turns kernels into graph nodes; kernels on constants are computed at once by the eager backend. */
export class Recorder implements KernelRecorder {
  readonly builder = new Builder();
  private readonly state = new Map<tf.Variable, Value>();
  private readonly assignments = new WeakMap<tf.Variable, Value>();
  private readonly captured = new WeakMap<object, Value>();

  constructor(
    private readonly name: string,
    private readonly backend: TracingBackend,
    private readonly eagerName: string,
    private readonly eager: tf.KernelBackend,
    private readonly bakeVariables: boolean,
    private readonly draws: RandomDraws,
  ) {}

  /** Calls `fn` and replaces the tensors of its result by values. */
  run(fn: () => unknown): unknown {
    let result: unknown;
    tf.tidy(() => {
      const isLeaf = (value: unknown) => value instanceof tf.Tensor;
      result = mapLeaves(fn(), isLeaf, (leaf) => {
        if (leaf instanceof Promise) this.rejectPromise(leaf);
        return leaf instanceof tf.Tensor ? this.valueOf(leaf) : leaf;
      });
    });
    return result;
  }

  private rejectPromise(promise: Promise<unknown>): never {
    promise.catch(() => {}); // Its tensors are gone, so it fails later; that is said here.
    throw new CompileError(
      `${this.name}: a compiled function must not be async; it returned a promise. Await inside nothing and call no ` +
        'model.trainOnBatch outside; inside, compute the loss with model.apply and its gradients with tf.variableGrads.',
    );
  }

  tensor(value: Value): tf.Tensor {
    return tf.engine().makeTensorFromTensorInfo(this.backend.tensorInfo(value), this.backend);
  }

  reads(): VariableValue[] {
    return [...this.state].map(([variable, value]) => ({ variable, value }));
  }

  /** Notes what `variable` is from here on: its numbers alone do not tell those of another variable from a constant. */
  assigned(variable: tf.Variable, value: tf.TensorInfo): void {
    this.assignments.set(variable, this.valueOf(value));
  }

  isAssigned(variable: tf.Variable): boolean {
    return this.assignments.has(variable);
  }

  constant(values: tf.backend_util.BackendValues, shape: readonly number[], dtype: tf.DataType): Value {
    const type = this.elementType(dtype);
    const data = toConstant(values as ArrayLike<number>, type);
    return this.newConstant(data, { type, shape: [...shape] }, this.draws.take());
  }

  read(value: Value): tf.backend_util.BackendValues {
    return value.constant ? (dataOf(value) as tf.backend_util.BackendValues) : this.rejectRead();
  }

  rejectRead(): never {
    throw new CompileError(
      `${this.name}: tensor values cannot be read inside a compiled function (data(), dataSync(), arraySync() ...), ` +
        `but were at ${callSite()}. Return the tensor, or compute with tf operations such as tf.where.`,
    );
  }

  kernel(name: string, inputs: tf.NamedTensorInfoMap, attributes: object): Value | Value[] {
    const values = this.valuesOf(inputs);
    const list = Object.values(values);
    const folded = list.every((value) => value.constant) && list.length > 0;
    if (folded) {
      const result = this.compute(name, values, attributes);
      if (result) return result;
    }
    try {
      return emitterOf(name)(this.builder, values, attributes);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw this.kernelError(name, inputs, reason, cause);
    }
  }

  unsupported(name: string, inputs: tf.NamedTensorInfoMap, reason: string): never {
    throw this.kernelError(name, inputs, reason);
  }

  private kernelError(name: string, inputs: tf.NamedTensorInfoMap, reason: string, cause?: unknown): CompileError {
    const shapes = Object.entries(inputs).map(([key, info]) => `${key}: ${info?.dtype} [${info?.shape.join(', ')}]`);
    const message =
      `${this.name}: kernel '${name}' (${shapes.join('; ')}) cannot be compiled: ${reason}. ` +
      `It was called at ${callSite()}. Compute it outside, or with other operations.`;
    return new CompileError(message, { cause });
  }

  private valuesOf(inputs: tf.NamedTensorInfoMap | readonly tf.TensorInfo[]): Record<string, Value> | Value[] {
    if (Array.isArray(inputs)) return inputs.map((tensor) => this.valueOf(tensor));
    const entries = Object.entries(inputs).filter(([, tensor]) => tensor);
    return Object.fromEntries(entries.map(([key, tensor]) => [key, this.valueOf(tensor!)]));
  }

  /** The value that a tensor stands for: of the trace, a variable's state, or a constant captured from outside. */
  valueOf(tensor: tf.TensorInfo): Value {
    if (tensor instanceof tf.Variable) return this.assignments.get(tensor) ?? this.stateOf(tensor);
    return this.backend.lookup(tensor.dataId) ?? this.capture(tensor);
  }

  private stateOf(variable: tf.Variable): Value {
    const known = this.state.get(variable);
    if (known) return known;
    const info = { type: this.elementType(variable.dtype), shape: variable.shape };
    const traced = this.backend.lookup(variable.dataId);
    const value = this.bakeVariables
      ? (traced ?? this.capture(variable))
      : this.builder.graph.input(`v${this.state.size}`, info);
    this.state.set(variable, value);
    return value;
  }

  private capture(tensor: tf.TensorInfo): Value {
    const known = this.captured.get(tensor.dataId);
    // What a tensor was cast to may share its numbers.
    if (known?.type === tensor.dtype) return this.builder.reshape(known, tensor.shape);
    const values = ownerOf(tensor.dataId).readSync(tensor.dataId);
    const copy = (values as Float32Array).slice() as tf.backend_util.BackendValues;
    const value = this.constant(copy, tensor.shape, tensor.dtype);
    this.captured.set(tensor.dataId, value);
    return value;
  }

  /** The result of a kernel on constants, or nothing if the eager backend cannot tell. */
  private compute(
    name: string,
    values: Record<string, Value> | Value[],
    attributes: object,
  ): Value | Value[] | undefined {
    const kernel = tf.getKernel(name, this.eagerName);
    if (!kernel || Object.values(values).some((value) => 'fill' in value.constant! && value.shape.length > 0)) {
      return undefined;
    }
    const made: object[] = [];
    const site = this.draws.siteOf(Object.values(values));
    try {
      const infos = Object.entries(values).map(([key, value]) => {
        const dtype = value.type as tf.DataType;
        const dataId = this.eager.write(dataOf(value) as tf.backend_util.BackendValues, [...value.shape], dtype);
        made.push(dataId);
        return [key, { dataId, shape: [...value.shape], dtype }];
      });
      const inputs = Object.fromEntries(infos);
      const output = kernel.kernelFunc({ inputs, attrs: attributes as tf.NamedAttrMap, backend: this.eager });
      const list = Array.isArray(output) ? output : [output];
      const results = list.map(({ dataId, shape, dtype }) => {
        const data = this.eager.readSync(dataId) as Float32Array;
        made.push(dataId);
        const type = this.elementType(dtype);
        return this.newConstant(toConstant(data.slice(), type), { type, shape }, site);
      });
      return Array.isArray(output) ? results : results[0];
    } catch {
      return undefined;
    } finally {
      for (const dataId of new Set(made)) this.eager.disposeData(dataId, true);
    }
  }

  /** @param site where its numbers were drawn, if they were */
  private newConstant(data: ConstantData, info: ValueInfo, site?: string): Value {
    if (site === undefined) return this.builder.graph.constant(data, info);
    const value = this.builder.graph.ownConstant(data, info);
    this.draws.mark(value, site);
    return value;
  }

  private elementType(dtype: tf.DataType): ElementType {
    if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
    throw new CompileError(`${this.name}: ${dtype} tensors cannot be compiled; one was used at ${callSite()}.`);
  }
}

function toConstant(values: ArrayLike<number>, type: ElementType): ConstantData {
  if (type === 'float32') return values instanceof Float32Array ? values : Float32Array.from(values);
  if (type === 'int32') return values instanceof Int32Array ? values : Int32Array.from(values);
  return values instanceof Uint8Array ? values : Uint8Array.from(values, (x) => (x ? 1 : 0));
}
