import type * as tf from '@tensorflow/tfjs-core';
import { type RuntimeArray, typedArray } from './arrays.js';
import { dataOf, type ElementType, isValue, type Node, type Value, valuesIn } from './graph.js';
import { hoist } from './hoist.js';
import { encodeModel } from './onnx.js';
import { optimise } from './optimise.js';
import { printNodes } from './print.js';
import { mapLeaves } from './structure.js';
import type { Trace } from './trace.js';
import { nodeWork } from './work.js';

/** Where the numbers of a result come from at every call. */
export type Source =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'output'; readonly name: string }
  | { readonly kind: 'constant'; readonly data: RuntimeArray };

/** A tensor of the result. */
export class ResultSlot {
  constructor(
    readonly source: Source,
    readonly shape: readonly number[],
    readonly dtype: tf.DataType,
    /** Whether the numbers also belong to something else and must be copied. */
    readonly shared: boolean,
  ) {}
}

/** A model and where its inputs come from. */
export interface ModelPlan {
  readonly file: Uint8Array;
  /** The operators as text. */
  readonly text: string;
  /** Floating point operations of the largest operator. */
  readonly largest: number;
  readonly inputs: readonly InputFeed[];
  readonly variables: readonly VariableFeed[];
  /** Outputs that are used where they are computed. */
  readonly kept: readonly KeptOutput[];
}

interface InputFeed {
  readonly name: string;
  /** Which tensor argument it is. */
  readonly index: number;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

interface VariableFeed {
  readonly name: string;
  readonly variable: tf.Variable;
}

/** An output that a variable takes, or that the main model reads. */
export interface KeptOutput {
  readonly name: string;
  readonly type: ElementType;
  /** The variable that takes it, if any. */
  readonly variable?: tf.Variable;
}

/** What it takes to run a traced function, without the trace itself. */
export interface Plan {
  /** Computes what depends on variables only, if that is much and the function does not assign any. */
  readonly prelude?: ModelPlan;
  /** Computes the rest, from outputs of the prelude too. */
  readonly main?: ModelPlan;
  /** The structure of the result with a {@link ResultSlot} for every tensor. */
  readonly result: unknown;
}

/** Decides what of a trace is computed by which model, and what is handed on without one. */
export function makePlan(trace: Trace, name: string): Plan {
  const { inputs, writes } = trace;
  const isComputed = (value: Value) => !value.constant && !inputs.includes(value);
  const results = [...new Set(valuesIn(trace.result))].filter(isComputed);
  const outputs = [...new Set([...writes.map(({ value }) => value), ...results])];
  const state = writes.length > 0 ? [] : trace.reads.map(({ value }) => value);
  const { hoisted, rest, kept } = hoist(optimise(trace.builder.graph, outputs), new Set(state), outputs);
  const written = writes.map(({ variable, value }, i) => ({ ...keptOutput(`w${i}`, value), variable }));
  const isShared = sharing(isComputed);
  return {
    prelude: modelPlan(
      trace,
      name,
      hoisted,
      kept.map((value) => keptOutput(keptName(value), value)),
      kept,
      [],
    ),
    main: modelPlan(
      trace,
      name,
      rest,
      written,
      writes.map(({ value }) => value),
      results,
    ),
    result: mapLeaves(trace.result, isValue, (leaf) => {
      if (!isValue(leaf)) return leaf;
      return new ResultSlot(sourceOf(trace, leaf), leaf.shape, leaf.type as tf.DataType, isShared(leaf));
    }),
  };
}

/** The model that computes `results` and `keptValues`, which are called `kept`, by `nodes`; none if there are no outputs. */
function modelPlan(
  trace: Trace,
  name: string,
  nodes: readonly Node[],
  kept: readonly KeptOutput[],
  keptValues: readonly Value[],
  results: readonly Value[],
): ModelPlan | undefined {
  const named = [
    ...kept.map((output, i) => [output.name, keptValues[i]!] as const),
    ...results.map((value) => [resultName(value), value] as const),
  ];
  if (named.length === 0) return undefined;
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const read = [...nodes.flatMap((node) => node.inputs), ...named.map(([, value]) => value)];
  const used = new Set(read.filter((value) => !value.constant && !made.has(value)));
  return {
    text: printNodes(nodes),
    file: encodeModel({ name, nodes, inputs: [...used].map((value) => [inputName(value), value]), outputs: named }),
    largest: Math.max(0, ...nodes.map(nodeWork)),
    inputs: [...trace.inputs.entries()]
      .filter(([, value]) => used.has(value))
      .map(([index, value]) => ({ name: inputName(value), index, type: value.type, shape: value.shape })),
    variables: trace.reads
      .filter(({ value }) => used.has(value))
      .map(({ variable, value }) => ({ name: inputName(value), variable })),
    kept,
  };
}

function sourceOf({ inputs }: Trace, value: Value): Source {
  if (value.constant) return { kind: 'constant', data: typedArray(value.type, dataOf(value) as RuntimeArray) };
  const index = inputs.indexOf(value);
  return index >= 0 ? { kind: 'input', index } : { kind: 'output', name: resultName(value) };
}

/** Tells whether numbers belong to something else already: an input, a constant, or whoever asked before. */
function sharing(isComputed: (value: Value) => boolean): (value: Value) => boolean {
  const given = new Set<Value>();
  return (value) => {
    const shared = !isComputed(value) || given.has(value);
    given.add(value);
    return shared;
  };
}

function keptOutput(name: string, { type }: Value): KeptOutput {
  return { name, type };
}

function inputName(value: Value): string {
  return value.input ?? keptName(value);
}

function keptName(value: Value): string {
  return `k${value.id}`;
}

function resultName(value: Value): string {
  return `y${value.id}`;
}
