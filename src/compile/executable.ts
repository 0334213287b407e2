import type * as tf from '@tensorflow/tfjs-core';
import type { RuntimeArray } from './arrays.js';
import { CompileError } from './errors.js';
import { type ModelPlan, makePlan, type Plan, ResultSlot, type Source } from './plan.js';
import type { OnnxSession, OnnxTensor, TypedRuntime } from './runtime.js';
import { mapLeaves } from './structure.js';
import type { Trace } from './trace.js';
import type { VariableStore } from './variables.js';

/** With no operator of this many floating point operations, threads cost more time than they save. */
const WORTH_THREADS = 4e6;

/**
 * Threads that wait for work keep a core busy for this long only. By default it is many times longer, which halves the
 * speed where something else uses the cores too: another session, environments in workers.
 */
const SHORT_SPINNING = { session: { force_spinning_stop: '1', intra_op: { spin_duration_us: '50' } } };

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

/** A model, loaded, and the tensors it was last run with. */
interface Model extends Pick<ModelPlan, 'inputs' | 'variables'> {
  readonly session: OnnxSession;
  readonly feeds: Record<string, OnnxTensor>;
}

/** A traced function, loaded into ONNX Runtime. Runs must not overlap. */
export class Executable {
  /** Outputs of the prelude for the present values of its variables. */
  private kept?: Outputs;

  private constructor(
    private readonly plan: Omit<Plan, 'prelude' | 'main'>,
    private readonly runtime: TypedRuntime,
    private readonly store: VariableStore,
    private readonly name: string,
    private readonly prelude?: Model,
    private readonly main?: Model,
  ) {}

  static async create(
    trace: Trace,
    runtime: TypedRuntime,
    store: VariableStore,
    settings: SessionSettings,
  ): Promise<Executable> {
    const { prelude, main, ...plan } = makePlan(trace, settings.name);
    const load = (part?: ModelPlan) => part && loadModel(part, runtime, settings);
    return new Executable(plan, runtime, store, settings.name, await load(prelude), await load(main));
  }

  /** Runs the function on the numbers of its tensor arguments; `finish` makes the tensors of the result. */
  async run(inputs: readonly RuntimeArray[], finish: (result: ResultArray) => unknown): Promise<unknown> {
    const refreshing = this.store.refresh(this.plan.reads);
    if (refreshing) await refreshing;
    const outputs = await this.compute(inputs);
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
    await Promise.all([this.prelude?.session.release(), this.main?.session.release()]);
  }

  private async compute(inputs: readonly RuntimeArray[]): Promise<Outputs> {
    if (this.prelude && (this.feedVariables(this.prelude) || !this.kept)) {
      this.kept = undefined;
      this.kept = await this.runModel(this.prelude);
      if (this.main) Object.assign(this.main.feeds, this.kept);
    }
    if (!this.main) return this.kept ?? {};
    this.feedVariables(this.main);
    for (const { index, name, type, shape } of this.main.inputs) {
      this.main.feeds[name] = new this.runtime.Tensor(type, inputs[index]!, shape);
    }
    const outputs = await this.runModel(this.main);
    return this.kept ? { ...this.kept, ...outputs } : outputs;
  }

  /** Hands the variables to a model; whether any has changed. */
  private feedVariables({ variables, feeds }: Model): boolean {
    let changed = false;
    for (const { variable, name } of variables) {
      const tensor = this.store.tensor(variable);
      changed ||= feeds[name] !== tensor;
      feeds[name] = tensor;
    }
    return changed;
  }

  private async runModel({ session, feeds }: Model): Promise<Outputs> {
    try {
      return await session.run(feeds);
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

async function loadModel(
  { file, largest, inputs, variables }: ModelPlan,
  runtime: TypedRuntime,
  { name, threads, executionProviders, sessionOptions }: SessionSettings,
): Promise<Model> {
  const options = {
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads ?? (largest < WORTH_THREADS ? 1 : 0),
    logSeverityLevel: 3,
    extra: SHORT_SPINNING,
    ...(executionProviders && { executionProviders }),
    ...sessionOptions,
  };
  try {
    return { inputs, variables, session: await runtime.InferenceSession.create(file, options), feeds: {} };
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
