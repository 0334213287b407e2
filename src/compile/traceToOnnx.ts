import type * as tf from '@tensorflow/tfjs-core';
import { CompileError } from './errors.js';
import type { Value } from './graph.js';
import { encodeModel } from './onnx.js';
import { optimise } from './optimise.js';
import { type InputInfo, trace } from './trace.js';

/** Type (default float32) and shape of an input of an exported model. */
export interface InputSpec {
  readonly shape: readonly number[];
  readonly dtype?: InputInfo['dtype'];
}

/**
 * An ONNX file (operator set 20, IR version 9) that computes `fn`, for any ONNX runtime. Names of inputs and outputs
 * are the keys of `inputs` and of the result of `fn`. All shapes are fixed. Variables enter with the values they have
 * now, as constants.
 *
 * @param name the name of the graph
 * @throws {@link CompileError} if `fn` cannot be compiled, or assigns variables
 */
export function traceToOnnx<Name extends string>(
  fn: (inputs: Record<Name, tf.Tensor>) => Record<string, tf.Tensor>,
  inputs: Readonly<Record<Name, InputSpec>>,
  name = 'diffrl',
): Uint8Array {
  const names = Object.keys(inputs) as Name[];
  const infos = names.map((key) => ({ dtype: inputs[key].dtype ?? 'float32', shape: inputs[key].shape }) as const);
  const call = (tensors: tf.Tensor[]) =>
    fn(Object.fromEntries(names.map((key, i) => [key, tensors[i]])) as Record<Name, tf.Tensor>);
  const traced = trace('traceToOnnx', infos, call, true);
  const assigned = traced.writes[0]?.variable.name;
  if (assigned) throw new CompileError(`traceToOnnx: fn assigns variable '${assigned}'; a file cannot hold state.`);
  const outputs = Object.entries(traced.result as Record<string, Value>);
  return encodeModel({
    name,
    nodes: optimise(
      traced.builder.graph,
      outputs.map(([, value]) => value),
    ),
    inputs: names.map((key, i) => [key, traced.inputs[i]!]),
    outputs,
  });
}
