import type * as tf from '@tensorflow/tfjs-core';
import type { RuntimeArray } from './arrays.js';
import { CompileError } from './errors.js';
import { makePlan, type Plan, ResultSlot, type Source } from './plan.js';
import type { OnnxSession, OnnxTensor, TypedRuntime } from './runtime.js';
import { mapLeaves } from './structure.js';
import type { Trace } from './trace.js';
import type { VariableStore } from './variables.js';

/** Graphs with less work than this, in floating point operations, run faster on one thread than on several. */
const SINGLE_THREAD_WORK = 20e6;

/** How sessions are made. */
export interface SessionSettings {
  readonly name: string;
  readonly threads?: number;
  readonly executionProviders?: readonly unknown[];
  readonly sessionOptions?: Readonly<Record<string, unknown>>;
}

/** A tensor of a result: its numbers and what they mean. */
export interface ResultArray {
  readonly data: RuntimeArray;
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
}

type Outputs = Readonly<Record<string, OnnxTensor>>;

/** A traced function, loaded into ONNX Runtime. Runs must not overlap. */
export class Executable {
  private readonly feeds: Record<string, OnnxTensor> = {};
  private readonly readVariables: readonly tf.Variable[];

  private constructor(
    private readonly plan: Plan,
    private readonly runtime: TypedRuntime,
    private readonly store: VariableStore,
    private readonly name: string,
    private session: OnnxSession | undefined,
  ) {
    this.readVariables = plan.reads.map(({ variable }) => variable);
  }

  static async create(
    trace: Trace,
    runtime: TypedRuntime,
    store: VariableStore,
    settings: SessionSettings,
  ): Promise<Executable> {
    const { model, ...plan } = makePlan(trace, settings.name);
    const session = model && (await loadSession(model, plan.work, runtime, settings));
    return new Executable(plan, runtime, store, settings.name, session);
  }

  /** Runs the function on the numbers of its tensor arguments; `finish` makes the tensors of the result. */
  async run(inputs: readonly RuntimeArray[], finish: (result: ResultArray) => unknown): Promise<unknown> {
    const refreshing = this.store.refresh(this.readVariables);
    if (refreshing) await refreshing;
    const outputs = this.session ? await this.compute(this.session, inputs) : {};
    const numbersOf = (source: Source) => this.numbersOf(source, inputs, outputs);
    const result = mapLeaves(this.plan.result, isSlot, (slot) => {
      if (!isSlot(slot)) return slot;
      const data = numbersOf(slot.source);
      return finish({ data: slot.shared ? data.slice() : data, shape: slot.shape, dtype: slot.dtype });
    });
    const values = this.plan.writes.map(({ source, shared }) => {
      const data = numbersOf(source);
      return shared ? data.slice() : data;
    });
    this.plan.writes.forEach(({ variable }, i) => void this.store.assign(variable, values[i]!));
    return result;
  }

  async release(): Promise<void> {
    await this.session?.release();
    this.session = undefined;
  }

  private async compute(session: OnnxSession, inputs: readonly RuntimeArray[]): Promise<Outputs> {
    for (const { index, name, type, shape } of this.plan.inputs) {
      this.feeds[name] = new this.runtime.Tensor(type, inputs[index]!, shape);
    }
    for (const { variable, name, fed } of this.plan.reads) {
      if (fed) this.feeds[name] = this.store.tensor(variable);
    }
    try {
      return await session.run(this.feeds);
    } catch (cause) {
      throw new CompileError(`${this.name}: ONNX Runtime failed: ${messageOf(cause)}`, { cause });
    }
  }

  private numbersOf(source: Source, inputs: readonly RuntimeArray[], outputs: Outputs): RuntimeArray {
    switch (source.kind) {
      case 'output':
        return outputs[source.name]!.data;
      case 'variable':
        return this.store.tensor(source.variable).data;
      case 'input':
        return inputs[source.index]!;
      case 'constant':
        return source.data;
    }
  }
}

async function loadSession(
  model: Uint8Array,
  work: number,
  runtime: TypedRuntime,
  { name, threads, executionProviders, sessionOptions }: SessionSettings,
): Promise<OnnxSession> {
  const options = {
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads ?? (work < SINGLE_THREAD_WORK ? 1 : 0),
    logSeverityLevel: 3,
    ...(executionProviders && { executionProviders }),
    ...sessionOptions,
  };
  try {
    return await runtime.InferenceSession.create(model, options);
  } catch (cause) {
    throw new CompileError(`${name}: ONNX Runtime does not accept the graph: ${messageOf(cause)}`, { cause });
  }
}

function isSlot(value: unknown): value is ResultSlot {
  return value instanceof ResultSlot;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
