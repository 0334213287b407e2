import * as tf from '@tensorflow/tfjs-core';
import {
  gelu,
  logNormal,
  logNormalOfNoise,
  logOneMinusTanhSquared,
  mish,
  Rng,
  stopGradient,
  tanhLogDet,
  withoutGradient,
} from 'diffrl';
import { describe, expect, it } from 'vitest';
import { linear, lookup } from '../../src/ops/linear.js';
import { split, unstack } from '../../src/ops/pieces.js';
import { softplusInverse } from '../../src/ops/softplus.js';
import { expectClose } from '../close.js';

/** Derivative by central differences in float64, of a function written in plain numbers. */
const slope = (f: (x: number) => number, x: number) => (f(x + 1e-5) - f(x - 1e-5)) / 2e-5;
const points = [-30, -6, -2.5, -1, -0.3, 0, 1e-3, 0.5, 1, 3, 20];
const tanhGelu = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const plainMish = (x: number) => x * Math.tanh(Math.log1p(Math.exp(x)));
const gradients = (f: (x: tf.Tensor) => tf.Tensor) => tf.grad((x) => tf.sum(f(x)))(tf.tensor1d(points));

describe('activations', () => {
  it('gelu is the tanh form (values of Flax, 1e-6)', () => {
    expectClose(gelu(tf.tensor1d([1, -1, 0.5, 3])), [0.8411919906, -0.1588080094, 0.3457140098, 2.9963626079], 1e-6);
  });

  it.each([
    ['gelu', gelu, tanhGelu],
    ['mish', mish, plainMish],
  ] as const)('%s: value 2e-6, gradient 5e-6', (_, op, plain) => {
    expectClose(op(tf.tensor1d(points)), points.map(plain), 2e-6);
    expectClose(
      gradients(op),
      points.map((x) => slope(plain, x)),
      5e-6,
    );
  });
});

describe('logOneMinusTanhSquared', () => {
  it('is exact where 1 - tanh^2 has long vanished', () => {
    const x = [0, 1e-3, 0.5, 1, 5, 20, -30];
    const expected = [0, -9.999998334e-7, -0.2402290139, -0.867561661, -8.6137964367, -38.6137056389, -58.6137056389];
    expectClose(logOneMinusTanhSquared(tf.tensor1d(x)), expected, 4e-6);
    expectClose(tanhLogDet(tf.tensor2d([[0.5, 1]])), [-0.2402290139 - 0.867561661], 1e-6);
  });

  it('has the derivative -2 tanh, finite everywhere', () => {
    expectClose(
      gradients(logOneMinusTanhSquared),
      points.map((x) => -2 * Math.tanh(x)),
      1e-6,
    );
  });
});

describe('split and unstack', () => {
  it.each([1, 2, 3])('have their gradients at %d pieces, which TensorFlow.js loses at one', (count) => {
    const x = tf.tensor2d(
      Array.from({ length: 2 * count }, (_, i) => i + 1),
      [count, 2],
    );
    const weigh = (pieces: tf.Tensor[]) => tf.addN(pieces.map((piece, i) => tf.mul(tf.sum(piece), i + 1)));
    const expected = Array.from({ length: 2 * count }, (_, i) => 1 + Math.floor(i / 2));
    expectClose(tf.grad((t) => weigh(split(t, Array(count).fill(1))))(x), expected, 0);
    expectClose(tf.grad((t) => weigh(unstack(t)))(x), expected, 0);
    expect(unstack(x).map(({ shape }) => shape)).toEqual(Array(count).fill([2]));
  });
});

describe('gaussian log-densities', () => {
  const x = tf.tensor2d([
    [0.3, -1],
    [2, 0.1],
  ]);
  const density = (x: number, mean: number, std: number) =>
    -0.5 * ((x - mean) / std) ** 2 - Math.log(std) - 0.5 * Math.log(2 * Math.PI);

  it('sum over the last axis, with number or tensor standard deviation', () => {
    const expected = [density(0.3, 0.1, 0.5) + density(-1, 0.1, 0.5), density(2, 0.1, 0.5) + density(0.1, 0.1, 0.5)];
    expectClose(logNormal(x, 0.1, 0.5), expected, 2e-6);
    expectClose(logNormal(x, 0.1, tf.tensor1d([0.5, 0.5])), expected, 2e-6);
  });

  it('of the noise equal those of the value', () => {
    const value = tf.add(tf.mul(x, 0.7), 0.2);
    expectClose(tf.sub(logNormalOfNoise(x, Math.log(0.7)), logNormal(value, 0.2, 0.7)), [0, 0], 2e-6);
  });
});

describe('cut gradients', () => {
  it('stopGradient passes the value and no derivative', () => {
    const gradient = tf.grad((x) => tf.sum(tf.mul(x, stopGradient(x))))(tf.tensor1d([2, 3]));
    expectClose(gradient, [2, 3], 0);
  });

  it('withoutGradient does so for a whole computation of several inputs', () => {
    const product = (a: tf.Tensor, b: tf.Tensor) => tf.mul(a, b);
    const gradient = tf.grad((x) => tf.sum(tf.mul(x, withoutGradient(product, x, tf.square(x)))))(tf.tensor1d([2, 3]));
    expectClose(gradient, [8, 27], 0);
  });

  it('leave no tensor behind', () => {
    const x = tf.tensor1d([1, 2]);
    const before = tf.memory().numTensors;
    stopGradient(x).dispose();
    gelu(x).dispose();
    logOneMinusTanhSquared(x).dispose();
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });
});

describe('linear maps', () => {
  it('lookup picks rows, and its gradient counts them', () => {
    const table = tf.tensor2d([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expectClose(lookup(table, tf.tensor1d([2, 0, 2])), [5, 6, 1, 2, 5, 6], 0);
    expectClose(tf.grad((t) => tf.sum(lookup(t as tf.Tensor2D, tf.tensor1d([2, 0, 2]))))(table), [1, 1, 0, 0, 2, 2], 0);
  });

  it('linear is a matrix product with bias', () => {
    const rng = Rng.fromSeed(1);
    const [x, kernel, bias] = [rng.normals(6), rng.normals(12), rng.normals(4)];
    const expected = [0, 1].flatMap((b) =>
      [0, 1, 2, 3].map((o) => [0, 1, 2].reduce((sum, i) => sum + x[b * 3 + i]! * kernel[i * 4 + o]!, bias[o]!)),
    );
    expectClose(linear(tf.tensor2d(x, [2, 3]), tf.tensor2d(kernel, [3, 4]), tf.tensor1d(bias)), expected, 1e-5);
  });
});

it('softplusInverse gives the parameters of the released code (1e-15)', () => {
  expectClose([0.1, 1, 2.5].map(softplusInverse), [-2.2521684610440906, 0.5413248546129181, 2.414349516257962], 1e-15);
});
