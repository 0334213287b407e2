import type * as tf from '@tensorflow/tfjs-core';
import { type RuntimeArray, typedArray } from './arrays.js';
import { dataOf, type ElementType, type Node, type Value } from './graph.js';
import { hoist } from './hoist.js';
import { encodeModel } from './onnx.js';
import { optimise } from './optimise.js';
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
  const returned = new Set<Value>();
  mapLeaves(trace.result, isValue, (leaf) => isValue(leaf) && returned.add(leaf));
  const wanted = [...new Set([...trace.writes.map(({ value }) => value), ...returned])];
  const computed = wanted.filter((value) => value.node);
  const nodes = optimise(trace.builder.graph, computed);
  const variables = new Map(trace.reads.map(({ variable, value }) => [value, variable]));
  const state = trace.writes.length > 0 ? new Set<Value>() : new Set(variables.keys());
  const { hoisted, rest, kept } = hoist(nodes, state, computed);

  const planOf = (part: readonly Node[], outputs: readonly Value[]): ModelPlan | undefined => {
    if (outputs.length === 0) return undefined;
    const made = new Set(part.flatMap((node) => node.outputs));
    const used = new Set(part.flatMap((node) => node.inputs).filter((value) => !value.constant && !made.has(value)));
    const named = (value: Value) => [nameOf(value), value] as const;
    return {
      file: encodeModel({ name, nodes: part, inputs: [...used].map(named), outputs: outputs.map(named) }),
      largest: Math.max(0, ...part.map(nodeWork)),
      inputs: [...trace.inputs.entries()].flatMap(([index, value]) =>
        used.has(value) ? [{ name: nameOf(value), index, type: value.type, shape: value.shape }] : [],
      ),
      variables: trace.reads.flatMap(({ variable, value }) =>
        used.has(value) ? [{ name: nameOf(value), variable }] : [],
      ),
    };
  };
  const sourceOf = (value: Value): Source => {
    if (value.node) return { kind: 'output', name: nameOf(value) };
    if (value.constant) return { kind: 'constant', data: typedArray(value.type, dataOf(value) as RuntimeArray) };
    const variable = variables.get(value);
    return variable ? { kind: 'variable', variable } : { kind: 'input', index: trace.inputs.indexOf(value) };
  };
  const given = new Set<Value>(kept);
  const isShared = (value: Value) => {
    const shared = !value.node || given.has(value);
    given.add(value);
    return shared;
  };
  const prelude = planOf(hoisted, kept);
  const main = planOf(
    rest,
    computed.filter((value) => !kept.includes(value)),
  );
  const read = [...variables].filter(([value]) => wanted.includes(value)).map(([, variable]) => variable);
  const fed = [prelude, main].flatMap((part) => part?.variables ?? []).map(({ variable }) => variable);
  return {
    prelude,
    main,
    reads: [...new Set([...read, ...fed])],
    writes: trace.writes.map(({ variable, value }) => {
      return { variable, source: sourceOf(value), shared: isShared(value) };
    }),
    result: mapLeaves(trace.result, isValue, (leaf) => {
      if (!isValue(leaf)) return leaf;
      return new ResultSlot(sourceOf(leaf), leaf.shape, leaf.type as tf.DataType, isShared(leaf));
    }),
  };
}

function nameOf(value: Value): string {
  return value.input ?? `y${value.id}`;
}

function isValue(leaf: unknown): leaf is Value {
  return typeof leaf === 'object' && leaf !== null && 'id' in leaf && 'type' in leaf && 'shape' in leaf;
}
