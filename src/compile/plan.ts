import type * as tf from '@tensorflow/tfjs-core';
import { type RuntimeArray, typedArray } from './arrays.js';
import { dataOf, type ElementType, type Node, type Value } from './graph.js';
import { encodeModel } from './onnx.js';
import { optimise } from './optimise.js';
import { mapLeaves } from './structure.js';
import type { Trace } from './trace.js';
import { workOf } from './work.js';

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

/** What it takes to run a traced function, without the trace itself. */
export interface Plan {
  /** The ONNX file, if there is anything to compute. */
  readonly model?: Uint8Array;
  /** Floating point operations of one run. */
  readonly work: number;
  /** Tensor arguments that the model reads. */
  readonly inputs: readonly {
    readonly index: number;
    readonly name: string;
    readonly type: ElementType;
    readonly shape: readonly number[];
  }[];
  /** Variables that are read, by the model (under `name`) or to be handed on. */
  readonly reads: readonly { readonly variable: tf.Variable; readonly name: string; readonly fed: boolean }[];
  /** Variables that are assigned. */
  readonly writes: readonly { readonly variable: tf.Variable; readonly source: Source; readonly shared: boolean }[];
  /** The structure of the result with a {@link ResultSlot} for every tensor. */
  readonly result: unknown;
}

/** Decides what of a trace the model computes, and what is handed on without it. */
export function makePlan(trace: Trace, name: string): Plan {
  const returned = new Set<Value>();
  mapLeaves(trace.result, isValue, (leaf) => isValue(leaf) && returned.add(leaf));
  const written = trace.writes.map(({ value }) => value);
  const wanted = new Set([...written, ...returned]);
  const computed = [...wanted].filter((value) => value.node);

  const nodes = optimise(trace.builder.graph, computed);
  const fed = new Set(nodes.flatMap((node) => node.inputs).filter((value) => value.input));
  const sourceOf = sources(trace);
  const given = new Set<Value>();
  const isShared = (value: Value) => {
    const shared = !value.node || given.has(value);
    given.add(value);
    return shared;
  };
  const writes = trace.writes.map(({ variable, value }) => {
    return { variable, source: sourceOf(value), shared: isShared(value) };
  });
  const result = mapLeaves(trace.result, isValue, (leaf) => {
    if (!isValue(leaf)) return leaf;
    return new ResultSlot(sourceOf(leaf), leaf.shape, leaf.type as tf.DataType, isShared(leaf));
  });
  return {
    model: computed.length > 0 ? modelOf(name, nodes, fed, computed) : undefined,
    work: workOf(nodes),
    inputs: [...trace.inputs.entries()].flatMap(([index, value]) =>
      fed.has(value) ? [{ index, name: value.input!, type: value.type, shape: value.shape }] : [],
    ),
    reads: trace.reads.flatMap(({ variable, value }) =>
      fed.has(value) || wanted.has(value) ? [{ variable, name: value.input!, fed: fed.has(value) }] : [],
    ),
    writes,
    result,
  };
}

function modelOf(
  name: string,
  nodes: readonly Node[],
  fed: ReadonlySet<Value>,
  computed: readonly Value[],
): Uint8Array {
  const inputs = [...fed].map((value) => [value.input!, value] as const);
  return encodeModel({ name, nodes, inputs, outputs: computed.map((value) => [outputName(value), value]) });
}

function sources(trace: Trace): (value: Value) => Source {
  const variables = new Map(trace.reads.map(({ variable, value }) => [value, variable]));
  return (value) => {
    if (value.node) return { kind: 'output', name: outputName(value) };
    if (value.constant) return { kind: 'constant', data: typedArray(value.type, dataOf(value) as RuntimeArray) };
    const variable = variables.get(value);
    return variable ? { kind: 'variable', variable } : { kind: 'input', index: trace.inputs.indexOf(value) };
  };
}

function outputName(value: Value): string {
  return `y${value.id}`;
}

function isValue(leaf: unknown): leaf is Value {
  return typeof leaf === 'object' && leaf !== null && 'id' in leaf && 'type' in leaf && 'shape' in leaf;
}
