import type * as tf from '@tensorflow/tfjs-core';
import { type RuntimeArray, typedArray } from './arrays.js';
import { CompileError } from './errors.js';
import { dataOf, type Value } from './graph.js';
import { encodeModel } from './onnx.js';
import type { OnnxSession, OnnxTensor, TypedRuntime } from './runtime.js';
import { mapLeaves } from './structure.js';
import type { Trace, VariableValue } from './trace.js';
import type { VariableStore } from './variables.js';
import { workOf } from './work.js';

/** Graphs with less work than this, in floating point operations, run faster on one thread than on several. */
const SINGLE_THREAD_WORK = 20e6;

/** How sessions are made. */
export interface SessionSettings {
  readonly name: string;
  readonly threads?: number;
  readonly executionProviders?: readonly unknown[];
  readonly sessionOptions?: Readonly<Record<string, unknown>>;
}

/** One element of a result: its numbers and what they mean. */
export interface ResultArray {
  readonly data: RuntimeArray;
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
}

/** A traced function, loaded into ONNX Runtime. */
export class Executable {
  /** Values that a session must compute. */
  private readonly fetched: readonly Value[];
  /** Variables whose second buffer the session writes to, by the value it writes. */
  private readonly targets: ReadonlyMap<Value, tf.Variable>;
  private readonly usedInputs: readonly (readonly [index: number, value: Value])[];
  private readonly usedReads: readonly VariableValue[];
  private readonly readVariables: readonly tf.Variable[];
  private session?: OnnxSession;

  private constructor(
    private readonly trace: Trace,
    private readonly runtime: TypedRuntime,
    private readonly store: VariableStore,
    private readonly name: string,
  ) {
    const results = new Set<Value>();
    mapLeaves(trace.result, isValue, (leaf) => isValue(leaf) && results.add(leaf));
    const written = trace.writes.map(({ value }) => value);
    this.fetched = [...new Set([...written, ...results])].filter((value) => value.node);
    const targets = new Map<Value, tf.Variable>();
    for (const { value, variable } of trace.writes) if (value.node && !targets.has(value)) targets.set(value, variable);
    this.targets = targets;
    const used = new Set<Value>([...results, ...written]);
    for (const node of trace.builder.graph.needed(this.fetched)) for (const value of node.inputs) used.add(value);
    this.usedInputs = [...trace.inputs.entries()].filter(([, value]) => used.has(value));
    this.usedReads = trace.reads.filter(({ value }) => used.has(value));
    this.readVariables = this.usedReads.map(({ variable }) => variable);
  }

  static async create(
    trace: Trace,
    runtime: TypedRuntime,
    store: VariableStore,
    settings: SessionSettings,
  ): Promise<Executable> {
    const executable = new Executable(trace, runtime, store, settings.name);
    await executable.load(settings);
    return executable;
  }

  /** Runs the function on the numbers of its tensor arguments; `finish` makes the leaves of the result. */
  async run(inputs: readonly RuntimeArray[], finish: (result: ResultArray) => unknown): Promise<unknown> {
    const refreshing = this.store.refresh(this.readVariables);
    if (refreshing) await refreshing;
    const numbers = new Map<Value, RuntimeArray>();
    const feeds: Record<string, OnnxTensor> = {};
    for (const [index, value] of this.usedInputs) {
      numbers.set(value, inputs[index]!);
      feeds[value.input!] = new this.runtime.Tensor(value.type, inputs[index]!, value.shape);
    }
    for (const { variable, value } of this.usedReads) {
      const tensor = this.store.tensor(variable);
      numbers.set(value, tensor.data);
      feeds[value.input!] = tensor;
    }
    const fetches: Record<string, OnnxTensor | null> = {};
    for (const value of this.fetched) {
      const target = this.targets.get(value);
      fetches[`y${value.id}`] = target ? this.store.spare(target) : null;
    }
    const outputs = this.session ? await this.runSession(feeds, fetches) : {};
    for (const value of this.fetched) numbers.set(value, outputs[`y${value.id}`]!.data);
    const result = this.assemble(numbers, finish);
    for (const { variable, value } of this.trace.writes) {
      const target = this.store.spare(variable);
      if (this.targets.get(value) !== variable) target.data.set(numbersOfValue(numbers, value));
      this.store.commit(variable, target);
    }
    return result;
  }

  async release(): Promise<void> {
    await this.session?.release();
    this.session = undefined;
  }

  private async load({ name, threads, executionProviders, sessionOptions }: SessionSettings): Promise<void> {
    if (this.fetched.length === 0) return;
    const { graph } = this.trace.builder;
    const nodes = graph.needed(this.fetched);
    const used = new Set(nodes.flatMap((node) => node.inputs));
    const inputs = graph.inputs.filter((value) => used.has(value));
    const model = encodeModel({
      name,
      graph,
      inputs: inputs.map((value) => [value.input!, value]),
      outputs: this.fetched.map((value) => [`y${value.id}`, value]),
    });
    const automatic = workOf(nodes) < SINGLE_THREAD_WORK ? 1 : 0;
    this.session = await this.runtime.InferenceSession.create(model, {
      graphOptimizationLevel: 'all',
      intraOpNumThreads: threads ?? automatic,
      logSeverityLevel: 3,
      ...(executionProviders && { executionProviders }),
      ...sessionOptions,
    }).catch((cause: unknown) => {
      throw new CompileError(`${name}: ONNX Runtime does not accept the graph: ${messageOf(cause)}`, { cause });
    });
  }

  private async runSession(feeds: Record<string, OnnxTensor>, fetches: Record<string, OnnxTensor | null>) {
    try {
      return await this.session!.run(feeds, fetches);
    } catch (cause) {
      throw new CompileError(`${this.name}: ONNX Runtime failed: ${messageOf(cause)}`, { cause });
    }
  }

  /** The result with numbers of its own: buffers of variables and arguments are copied. */
  private assemble(numbers: ReadonlyMap<Value, RuntimeArray>, finish: (result: ResultArray) => unknown): unknown {
    const given = new Set<Value>();
    return mapLeaves(this.trace.result, isValue, (leaf) => {
      if (!isValue(leaf)) return leaf;
      const fresh = leaf.node && !this.targets.has(leaf) && !given.has(leaf);
      given.add(leaf);
      const data = numbersOfValue(numbers, leaf);
      return finish({ data: fresh ? data : data.slice(), shape: leaf.shape, dtype: leaf.type as tf.DataType });
    });
  }
}

function numbersOfValue(numbers: ReadonlyMap<Value, RuntimeArray>, value: Value): RuntimeArray {
  return numbers.get(value) ?? typedArray(value.type, dataOf(value) as RuntimeArray);
}

function isValue(leaf: unknown): leaf is Value {
  return typeof leaf === 'object' && leaf !== null && 'id' in leaf && 'type' in leaf && 'shape' in leaf;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
