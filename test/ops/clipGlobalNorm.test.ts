import * as tf from '@tensorflow/tfjs-core';
import { clipGlobalNorm } from 'diffrl';
import { expect, it } from 'vitest';

const gradients = { a: tf.tensor1d([3, 0]), b: tf.tensor2d([[4]]) };

it('scales all gradients by one factor when their joint norm is above the limit', () => {
  const { a, b } = clipGlobalNorm(gradients, 2);
  expect(a!.dataSync()[0]).toBeCloseTo(1.2, 6);
  expect(b!.dataSync()[0]).toBeCloseTo(1.6, 6);
});

it('leaves them alone below it, zeros included', () => {
  expect(clipGlobalNorm(gradients, 5.1).b!.dataSync()[0]).toBe(4);
  expect(clipGlobalNorm({ a: tf.zeros([2]) }, 1).a!.dataSync()).toEqual(Float32Array.of(0, 0));
});
