import type * as tf from '@tensorflow/tfjs-core';
import type { RuntimeArray } from './arrays.js';
import type { Engine } from './engine.js';
import { CompileError } from './errors.js';
import { type ModelPlan, makePlan, type Plan, ResultSlot, type Source } from './plan.js';
import type { OnnxSession, OnnxTensor } from './runtime.js';
import { mapLeaves } from './structure.js';
import type { Trace } from './trace.js';

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
    /** The operators of its models, one a line. */
    readonly text: string,
    private readonly engine: Engine,
    private readonly name: string,
    private readonly prelude?: Model,
    private readonly main?: Model,
  ) {}

  static async create(trace: Trace, engine: Engine, name: string): Promise<Executable> {
    const { prelude, main, ...plan } = makePlan(trace, name);
    const load = (part?: ModelPlan) => part && loadModel(part, engine, name);
    const text = [prelude, main].flatMap((part) => part?.text ?? []).join('\n\n');
    return new Executable(plan, text, engine, name, await load(prelude), await load(main));
  }

  /**
   * Runs the function on the numbers of its tensor arguments; `finish` makes the tensors of the result, and if `accept`
   * throws because of it, no variable is assigned.
   */
  async run(
    inputs: readonly RuntimeArray[],
    finish: (result: ResultArray) => unknown,
    accept?: (result: never) => void,
  ): Promise<unknown> {
    const refreshing = this.engine.store.refresh(this.plan.reads);
    if (refreshing) await refreshing;
    const outputs = await this.compute(inputs);
    const numbersOf = (source: Source) => this.numbersOf(source, inputs, outputs);
    const result = mapLeaves(this.plan.result, isSlot, (slot) => {
      if (!isSlot(slot)) return slot;
      const data = numbersOf(slot.source);
      return finish({ data: slot.shared ? data.slice() : data, shape: slot.shape, dtype: slot.dtype });
    });
    accept?.(result as never);
    const values = this.plan.writes.map(({ source, shared }) => {
      const data = numbersOf(source);
      return shared ? data.slice() : data;
    });
    this.plan.writes.forEach(({ variable }, i) => void this.engine.store.assign(variable, values[i]!));
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
      this.main.feeds[name] = new this.engine.runtime.Tensor(type, inputs[index]!, shape);
    }
    const outputs = await this.runModel(this.main);
    return this.kept ? { ...this.kept, ...outputs } : outputs;
  }

  /** Hands the variables to a model; whether any has changed. */
  private feedVariables({ variables, feeds }: Model): boolean {
    let changed = false;
    for (const { variable, name } of variables) {
      const tensor = this.engine.store.tensor(variable);
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
        return this.engine.store.tensor(source.variable).data;
      case 'input':
        return inputs[source.index]!;
      case 'constant':
        return source.data;
    }
  }
}

async function loadModel(
  { file, largest, inputs, variables }: ModelPlan,
  engine: Engine,
  name: string,
): Promise<Model> {
  try {
    return { inputs, variables, session: await engine.load(file, largest), feeds: {} };
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
