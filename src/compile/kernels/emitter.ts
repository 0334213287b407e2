import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';

/** The inputs of a tfjs kernel, by the names that tfjs gives them. */
export interface Operands {
  readonly a: Value;
  readonly b: Value;
  readonly x: Value;
  readonly y: Value;
  readonly dy: Value;
  readonly value: Value;
  readonly input: Value;
  readonly alpha: Value;
  readonly logits: Value;
  readonly condition: Value;
  readonly t: Value;
  readonly e: Value;
  readonly indices: Value;
  readonly segmentIds: Value;
  readonly params: Value;
  readonly updates: Value;
  readonly tensor: Value;
  readonly mean: Value;
  readonly variance: Value;
  readonly scale?: Value;
  readonly offset?: Value;
  readonly bias?: Value;
  readonly preluActivationWeights?: Value;
  readonly sortedSequence: Value;
  readonly values: Value;
}

/** Writes one tfjs kernel as ONNX operators. Inputs that are a list come as an array. */
export type Emitter = (
  builder: Builder,
  operands: Operands & readonly Value[],
  // biome-ignore lint/suspicious/noExplicitAny: every kernel has attributes of its own
  attributes: any,
) => Value | Value[];

/** Emitters by kernel name. */
export type Emitters = Readonly<Record<string, Emitter>>;
