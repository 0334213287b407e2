import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/index.js';
import { EMITTERS } from '../../src/compile/kernels/index.js';
import { CASES, noise } from './kernelCases.js';

/** Largest difference allowed, relative to the larger of the value and 1: a few float32 roundings. */
const TOLERANCE = 2e-5;

function expectClose(actual: tf.Tensor, expected: tf.Tensor): void {
  expect(actual.dtype).toBe(expected.dtype);
  expect(actual.shape).toEqual(expected.shape);
  const values = actual.dataSync();
  expected.dataSync().forEach((x, i) => {
    if (Object.is(values[i], x) || values[i] === x) return;
    const error = Math.abs(values[i]! - x) / Math.max(1, Math.abs(x));
    expect(error, `entry ${i}: compiled ${values[i]}, eager ${x}`).toBeLessThan(TOLERANCE);
  });
}

/** The gradient of a weighted sum of all results with respect to all float inputs. */
function gradients(run: (typeof CASES)[number]['run'], x: tf.Tensor[]): tf.Tensor[] {
  const floats = x.filter(({ dtype }) => dtype === 'float32');
  const loss = (...y: tf.Tensor[]) => {
    let next = 0;
    const results = [run(...x.map((tensor) => (tensor.dtype === 'float32' ? y[next++]! : tensor)))].flat();
    return tf.addN(results.map((result, i) => tf.sum(tf.mul(result, noise(result.shape, 0.5, 2, i)))));
  };
  return tf.grads(loss)(floats);
}

describe('kernels give what the cpu backend gives', () => {
  it.each(CASES)('$name', async ({ run, inputs, gradient }) => {
    const x = inputs();
    const program = (...tensors: tf.Tensor[]) => ({
      results: [run(...tensors)].flat(),
      gradients: gradient ? gradients(run, tensors) : [],
    });
    const expected = program(...x);
    const compiled = compile(program);
    const actual = await compiled(...x);
    expect(actual.results.length).toBe(expected.results.length);
    actual.results.forEach((tensor, i) => void expectClose(tensor, expected.results[i]!));
    actual.gradients.forEach((tensor, i) => void expectClose(tensor, expected.gradients[i]!));
    await compiled.dispose();
  });

  it('has a case for every kernel', () => {
    const covered = new Set(CASES.map(({ kernel }) => kernel));
    expect(Object.keys(EMITTERS).filter((kernel) => !covered.has(kernel))).toEqual([]);
  });
});
