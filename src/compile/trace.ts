import * as tf from '@tensorflow/tfjs-core';
import type { Builder } from './builder.js';
import { RandomDraws } from './draws.js';
import { CompileError, withLongStacks } from './errors.js';
import { type Value, valuesIn } from './graph.js';
import { HeldVariables } from './heldVariables.js';
import { BakedRates } from './rates.js';
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
  /** Learning rates that became constants. */
  readonly rates: BakedRates;
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
  const draws = new RandomDraws();
  const rates = new BakedRates();
  const recorder = new Recorder(name, backend, eager, eagerBackend, bakeVariables, draws);
  const variables = new HeldVariables(recorder);
  backend.recorder = recorder;
  void tf.setBackend(TRACING_BACKEND);
  let kept = false;
  let traced: Trace;
  try {
    const { builder } = recorder;
    const values = inputs.map(({ dtype, shape }, i) => builder.graph.input(`x${i}`, { type: dtype, shape }));
    const result = withLongStacks(() => recorder.run(() => call(values.map((value) => recorder.tensor(value)))));
    const writes = variables.writes();
    draws.check(name, builder.graph.nodes, [...valuesIn(result), ...writes.map(({ value }) => value)]);
    traced = { builder, inputs: values, reads: recorder.reads(), writes, result, rates };
  } finally {
    for (const watch of [draws, rates, variables]) watch.release();
    backend.recorder = undefined;
    void tf.setBackend(eager);
    variables.restore();
    kept = backend.settle(eagerBackend);
  }
  if (kept) throw keptTensor(name);
  return traced;
}

function keptTensor(name: string): CompileError {
  return new CompileError(
    `${name}: a tensor is kept from one call to the next (by tf.keep, or by a stateful recurrent layer); every call would ` +
      "start from the first one's. Hold state in variables, or pass it as an argument and return the new one. " +
      'The kept tensor is zero now.',
  );
}
