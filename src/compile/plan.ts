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

/** Where the numbers of a value come from at every call. */
export type Source =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'variable'; readonly variable: tf.Variable }
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

/** What it takes to run a traced function, without the trace itself. */
export interface Plan {
  /** Computes what depends on variables only, if that is much and the function does not assign any. */
  readonly prelude?: ModelPlan;
  /** Computes the rest, from outputs of the prelude too. */
  readonly main?: ModelPlan;
  /** Variables that are read, by a model or to be handed on. */
  readonly reads: readonly tf.Variable[];
  /** Variables that are assigned. */
  readonly writes: readonly { readonly variable: tf.Variable; readonly source: Source; readonly shared: boolean }[];
  /** The structure of the result with a {@link ResultSlot} for every tensor. */
  readonly result: unknown;
}

/** Decides what of a trace is computed by which model, and what is handed on without one. */
export function makePlan(trace: Trace, name: string): Plan {
  const wanted = [...new Set([...trace.writes.map(({ value }) => value), ...valuesIn(trace.result)])];
  const computed = wanted.filter((value) => value.node);
  const state = trace.writes.length > 0 ? [] : trace.reads.map(({ value }) => value);
  const { hoisted, rest, kept } = hoist(optimise(trace.builder.graph, computed), new Set(state), computed);
  const prelude = modelPlan(trace, name, hoisted, kept);
  const late = computed.filter((value) => !kept.includes(value));
  const main = modelPlan(trace, name, rest, late);

  const handedOn = trace.reads.filter(({ value }) => wanted.includes(value));
  const fed = [prelude, main].flatMap((part) => part?.variables ?? []);
  const isShared = sharing(kept);
  return {
    prelude,
    main,
    reads: [...new Set([...handedOn, ...fed].map(({ variable }) => variable))],
    writes: trace.writes.map(({ variable, value }) => {
      return { variable, source: sourceOf(trace, value), shared: isShared(value) };
    }),
    result: mapLeaves(trace.result, isValue, (leaf) => {
      if (!isValue(leaf)) return leaf;
      return new ResultSlot(sourceOf(trace, leaf), leaf.shape, leaf.type as tf.DataType, isShared(leaf));
    }),
  };
}

/** The model that computes `outputs` by `nodes`, if there are any. */
function modelPlan(
  trace: Trace,
  name: string,
  nodes: readonly Node[],
  outputs: readonly Value[],
): ModelPlan | undefined {
  if (outputs.length === 0) return undefined;
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const used = new Set(nodes.flatMap((node) => node.inputs).filter((value) => !value.constant && !made.has(value)));
  const named = (value: Value) => [nameOf(value), value] as const;
  return {
    text: printNodes(nodes),
    file: encodeModel({ name, nodes, inputs: [...used].map(named), outputs: outputs.map(named) }),
    largest: Math.max(0, ...nodes.map(nodeWork)),
    inputs: [...trace.inputs.entries()]
      .filter(([, value]) => used.has(value))
      .map(([index, value]) => ({ name: nameOf(value), index, type: value.type, shape: value.shape })),
    variables: trace.reads
      .filter(({ value }) => used.has(value))
      .map(({ variable, value }) => ({ name: nameOf(value), variable })),
  };
}

function sourceOf({ reads, inputs }: Trace, value: Value): Source {
  if (value.node) return { kind: 'output', name: nameOf(value) };
  if (value.constant) return { kind: 'constant', data: typedArray(value.type, dataOf(value) as RuntimeArray) };
  const read = reads.find((known) => known.value === value);
  return read ? { kind: 'variable', variable: read.variable } : { kind: 'input', index: inputs.indexOf(value) };
}

/** Tells whether numbers belong to something else already: to `kept`, an input, or whoever asked before. */
function sharing(kept: readonly Value[]): (value: Value) => boolean {
  const given = new Set(kept);
  return (value) => {
    const shared = !value.node || given.has(value);
    given.add(value);
    return shared;
  };
}

function nameOf(value: Value): string {
  return value.input ?? `y${value.id}`;
}
