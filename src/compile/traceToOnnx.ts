import type * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, requireInteger, requireObject, show } from '../errors.js';
import { requireOptions } from '../options.js';
import { CompileError } from './errors.js';
import type { Value } from './graph.js';
import { encodeModel, OLDEST_OPSET, OPSET_VERSION } from './onnx.js';
import { optimise } from './optimise.js';
import { type InputInfo, trace } from './trace.js';

/** Type (default float32) and shape of an input of an exported model. */
export interface InputSpec {
  readonly shape: readonly number[];
  readonly dtype?: InputInfo['dtype'];
}

export interface TraceToOnnxOptions {
  /** Name of the graph, default `'diffrl'`. */
  readonly name?: string | undefined;
  /** Version of ONNX's operator set, 18 to 20, default `OPSET_VERSION`. */
  readonly opset?: number | undefined;
}

/**
 * An ONNX file that computes `fn`, for any ONNX runtime. Names of inputs and outputs
 * are the keys of `inputs` and of the result of `fn`. All shapes are fixed. Variables enter with the values they have
 * now, as constants.
 *
 * @throws {@link CompileError} if `fn` cannot be compiled, assigns variables, or returns something under the name of an input
 */
export function traceToOnnx<Name extends string>(
  fn: (inputs: Record<Name, tf.Tensor>) => Record<string, tf.Tensor>,
  inputs: Readonly<Record<Name, InputSpec>>,
  options: TraceToOnnxOptions = {},
): Uint8Array {
  const { name = 'diffrl', opset = OPSET_VERSION } = requireOptions('traceToOnnx', options, {
    name: true,
    opset: true,
  });
  if (typeof fn !== 'function')
    throw new ArgumentError(`traceToOnnx: fn must be a function of tensors, got ${show(fn)}.`);
  requireInputs(inputs);
  requireInteger('traceToOnnx', 'opset', opset, { min: OLDEST_OPSET, max: OPSET_VERSION });
  const names = Object.keys(inputs) as Name[];
  const infos = names.map((key) => ({ dtype: inputs[key].dtype ?? 'float32', shape: inputs[key].shape }) as const);
  const call = (tensors: tf.Tensor[]) =>
    fn(Object.fromEntries(names.map((key, i) => [key, tensors[i]])) as Record<Name, tf.Tensor>);
  const traced = trace('traceToOnnx', infos, call, true);
  const assigned = traced.writes[0]?.variable.name;
  if (assigned) throw new CompileError(`traceToOnnx: fn assigns variable '${assigned}'; a file cannot hold state.`);
  const outputs = Object.entries(traced.result as Record<string, Value>);
  requireNewNames(Object.keys(traced.result as object), names);
  return encodeModel({
    name,
    opset,
    nodes: optimise(
      traced.builder.graph,
      outputs.map(([, value]) => value),
      opset,
    ),
    inputs: names.map((key, i) => [key, traced.inputs[i]!]),
    outputs,
  });
}

/** @throws ArgumentError unless every input has a shape of whole numbers */
function requireInputs(inputs: Readonly<Record<string, InputSpec>>): void {
  requireObject('traceToOnnx', 'inputs', inputs);
  for (const [name, spec] of Object.entries(inputs)) {
    const shape: unknown = spec?.shape;
    if (Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0)) continue;
    throw new ArgumentError(
      `traceToOnnx: inputs.${name} must be { shape: a list of integers >= 0, dtype? }, got ${show(spec)}.`,
    );
  }
}

/** @throws CompileError if a result has the name of an input */
function requireNewNames(results: readonly string[], inputs: readonly string[]): void {
  const twice = results.find((result) => inputs.includes(result));
  if (twice === undefined) return;
  throw new CompileError(
    `traceToOnnx: fn returns '${twice}', which is an input too; a name stands for one value in a file. Return it under ` +
      'another name.',
  );
}
