import * as tf from '@tensorflow/tfjs-core';
import type { RuntimeArray } from './arrays.js';
import type { Engine } from './engine.js';
import { CompileError } from './errors.js';
import { type ModelPlan, makePlan, ResultSlot, type Source } from './plan.js';
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
interface Model extends Pick<ModelPlan, 'inputs' | 'variables' | 'kept'> {
  readonly session: OnnxSession;
  readonly feeds: Record<string, OnnxTensor>;
}

/** A traced function, loaded into ONNX Runtime. Runs must not overlap. */
export class Executable {
  /** Whether the prelude has run for the present values of its variables. */
  private isPrepared = false;

  private constructor(
    private readonly result: unknown,
    /** The operators of its models, one a line. */
    readonly text: string,
    private readonly engine: Engine,
    private readonly name: string,
    private readonly prelude?: Model,
    private readonly main?: Model,
  ) {}

  static async create(trace: Trace, engine: Engine, name: string): Promise<Executable> {
    const { prelude, main, result } = makePlan(trace, name);
    const load = (part?: ModelPlan) => part && loadModel(part, engine, name);
    const text = [prelude, main].flatMap((part) => part?.text ?? []).join('\n\n');
    return new Executable(result, text, engine, name, await load(prelude), await load(main));
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
    const outputs = await this.compute(inputs);
    const numbersOf = (source: Source): RuntimeArray => {
      if (source.kind === 'output') return outputs[source.name]!.data;
      return source.kind === 'input' ? inputs[source.index]! : source.data;
    };
    const made: unknown[] = [];
    const result = mapLeaves(this.result, isSlot, (slot) => {
      if (!isSlot(slot)) return slot;
      const data = numbersOf(slot.source);
      made.push(finish({ data: slot.shared ? data.slice() : data, shape: slot.shape, dtype: slot.dtype }));
      return made.at(-1);
    });
    try {
      accept?.(result as never);
      this.requireVariables();
    } catch (refusal) {
      for (const { name } of this.main?.kept ?? []) disposeOnDevice(outputs[name]);
      for (const entry of made) if (entry instanceof tf.Tensor) entry.dispose();
      throw refusal;
    }
    if (this.main) await this.assign(this.main, outputs);
    return result;
  }

  /** Runs the function without assigning or handing out anything. */
  async rehearse(inputs: readonly RuntimeArray[]): Promise<void> {
    Object.values(await this.compute(inputs)).forEach(disposeOnDevice);
  }

  get device(): Engine['device'] {
    return this.engine.device;
  }

  async release(): Promise<void> {
    for (const { name } of this.prelude?.kept ?? []) disposeOnDevice(this.main?.feeds[name]);
    await Promise.all([this.prelude?.session.release(), this.main?.session.release()]);
  }

  /** The outputs of the main model. */
  private async compute(inputs: readonly RuntimeArray[]): Promise<Outputs> {
    const { prelude, main, engine } = this;
    if (!main) return {};
    const pending = engine.home.prepare(
      [...(prelude?.variables ?? []), ...main.variables].map(({ variable }) => variable),
    );
    if (pending) await pending;
    if (prelude && (this.feedVariables(prelude) || !this.isPrepared)) {
      this.isPrepared = false;
      const before = prelude.kept.map(({ name }) => main.feeds[name]);
      Object.assign(main.feeds, await this.runModel(prelude));
      before.forEach(disposeOnDevice);
      this.isPrepared = true;
    }
    this.feedVariables(main);
    for (const { index, name, type, shape } of main.inputs) {
      main.feeds[name] = engine.home.onHost(type as tf.DataType, inputs[index]!, shape);
    }
    return this.runModel(main);
  }

  /** Hands the variables to a model; whether any has changed. */
  private feedVariables({ variables, feeds }: Model): boolean {
    let changed = false;
    for (const { variable, name } of variables) {
      const tensor = this.engine.home.tensor(variable);
      changed ||= feeds[name] !== tensor;
      feeds[name] = tensor;
    }
    return changed;
  }

  private async runModel(model: Model): Promise<Outputs> {
    try {
      return await model.session.run(model.feeds);
    } catch (cause) {
      throw new CompileError(`${this.name}: ONNX Runtime failed: ${messageOf(cause)}`, { cause });
    }
  }

  /** @throws CompileError if one that is to be assigned was disposed of while the model ran */
  private requireVariables(): void {
    const gone = this.main?.kept.find(({ variable }) => variable?.isDisposed)?.variable;
    if (!gone) return;
    throw new CompileError(
      `${this.name}: variable '${gone.name}' was disposed of during the call, which has assigned nothing. Await the call before.`,
    );
  }

  /** Gives variables their new values. */
  private async assign({ kept }: Model, outputs: Outputs): Promise<void> {
    for (const { name, variable } of kept) {
      const waiting = variable && this.engine.home.assign(variable, outputs[name]!);
      if (waiting) await waiting;
    }
  }
}

async function loadModel(plan: ModelPlan, engine: Engine, name: string): Promise<Model> {
  try {
    const session = await engine.load(plan.file, plan.largest, plan.kept);
    const { inputs, variables, kept } = plan;
    return { inputs, variables, kept, session, feeds: {} };
  } catch (cause) {
    throw new CompileError(`${name}: ONNX Runtime does not accept the graph: ${messageOf(cause)}`, { cause });
  }
}

/** Frees a tensor that is not in the memory of the host. */
function disposeOnDevice(tensor: OnnxTensor | undefined): void {
  if (tensor && tensor.location !== 'cpu') tensor.dispose();
}

function isSlot(value: unknown): value is ResultSlot {
  return value instanceof ResultSlot;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
