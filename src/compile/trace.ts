import * as tf from '@tensorflow/tfjs-core';
import type { Builder } from './builder.js';
import { CompileError, withLongStacks } from './errors.js';
import type { Value } from './graph.js';
import { HeldVariables } from './heldVariables.js';
import { Recorder, type VariableValue } from './recorder.js';
import { TRACING_BACKEND, tracingBackend } from './tracingBackend.js';

/** What a function did while it ran once on symbolic tensors. */
export interface Trace {
  readonly builder: Builder;
  /** One graph input per tensor argument. */
  readonly inputs: readonly Value[];
  /** Variables read, as graph inputs (as constants when they were baked in). */
  readonly reads: readonly VariableValue[];
  /** Variables assigned, with their last values. */
  readonly writes: readonly VariableValue[];
  /** The result of the function with a {@link Value} for every tensor. */
  readonly result: unknown;
}

/** Type and shape of a tensor argument. */
export interface InputInfo {
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly shape: readonly number[];
}

/**
 * Runs `fn` once on symbolic tensors and records what it does. Variables keep their values.
 *
 * @param call calls the function with the given tensors in the places of its tensor arguments
 * @param bakeVariables makes constants of variables instead of inputs
 */
export function trace(
  name: string,
  inputs: readonly InputInfo[],
  call: (tensors: tf.Tensor[]) => unknown,
  bakeVariables = false,
): Trace {
  const backend = tracingBackend();
  if (backend.recorder) throw new CompileError(`${name}: a compiled function cannot be traced inside another one.`);
  const eagerBackend = tf.backend();
  const eager = tf.getBackend();
  const recorder = new Recorder(name, backend, eager, eagerBackend, bakeVariables);
  const variables = new HeldVariables(recorder);
  backend.recorder = recorder;
  void tf.setBackend(TRACING_BACKEND);
  try {
    const values = inputs.map(({ dtype, shape }, i) => recorder.builder.graph.input(`x${i}`, { type: dtype, shape }));
    const result = withLongStacks(() => recorder.run(() => call(values.map((value) => recorder.tensor(value)))));
    return { builder: recorder.builder, inputs: values, reads: recorder.reads(), writes: variables.writes(), result };
  } finally {
    variables.release();
    backend.recorder = undefined;
    void tf.setBackend(eager);
    variables.restore();
  }
}
