/** What tests of one whole update share: an agent's parameters before it, networks by hand, parameters after it. */
import * as tf from '@tensorflow/tfjs-core';
import { type StateDict, substate } from 'diffrl';
import { expect } from 'vitest';

/** Variables of the values that a part of an agent has in a state. */
export function variablesOf(state: StateDict, part: string): Record<string, tf.Variable> {
  const entries = Object.entries(substate(state, part)).map(([name, { shape, data }]) => {
    return [name, tf.variable(tf.tensor(Float32Array.from(data, Number), [...shape]))];
  });
  return Object.fromEntries(entries);
}

/** A perceptron with the layers `kernel0, bias0, ...` of `variables`, under `prefix`. */
export function dense(
  variables: Record<string, tf.Tensor>,
  x: tf.Tensor2D,
  activation: (x: tf.Tensor) => tf.Tensor,
  prefix = '',
): tf.Tensor2D {
  let y: tf.Tensor = x;
  for (let i = 0; variables[`${prefix}kernel${i}`]; i++) {
    const product = tf.dot(i === 0 ? y : activation(y), variables[`${prefix}kernel${i}`]!);
    y = tf.add(product, variables[`${prefix}bias${i}`]!);
  }
  return y as tf.Tensor2D;
}

/** The parameters of `part` are what somebody else computed, and are not what they were. */
export function expectMoved(
  before: StateDict,
  after: StateDict,
  part: string,
  expected: Record<string, tf.Tensor>,
  tolerance: number,
): void {
  let moved = 0;
  for (const [name, tensor] of Object.entries(expected)) {
    const [was, is] = [before[`${part}/${name}`]!.data, after[`${part}/${name}`]!.data];
    tensor.dataSync().forEach((value, i) => {
      expect(Math.abs(Number(is[i]) - value), `${part}/${name}[${i}]`).toBeLessThan(tolerance);
      moved = Math.max(moved, Math.abs(value - Number(was[i])));
    });
  }
  expect(moved, `${part} moves`).toBeGreaterThan(10 * tolerance);
}
