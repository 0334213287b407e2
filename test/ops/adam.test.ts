import * as tf from '@tensorflow/tfjs-core';
import { Adam, ArgumentError, CheckpointError, clipGradient, lossAndGradients } from 'diffrl';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../close.js';

const scalarVariable = (value = 0) => tf.variable(tf.scalar(value));

describe('Adam', () => {
  it('with clipping follows the released optimiser for three steps (2e-8)', () => {
    const theta = scalarVariable();
    const adam = new Adam({ theta }, { learningRate: 3e-4, beta1: 0.5, transform: clipGradient(1) });
    const expected = [-2.999999925e-4, -8.994774496e-5, -7.590831477e-6];
    [0.4, -2, 0.1].forEach((gradient, i) => {
      adam.apply({ theta: tf.scalar(gradient) });
      expectClose(theta, [expected[i]!], 2e-8);
    });
  });

  it('clips the updates of gradients far above their history by exactly that ratio, and no others', () => {
    const [free, clipped] = [0, 1].map(() => tf.variable(tf.zeros([2]), true)) as [tf.Variable, tf.Variable];
    const options = { learningRate: 0.01, beta1: 0.5, beta2: 0.9 };
    const optimisers = [
      new Adam({ theta: free }, options),
      new Adam({ theta: clipped }, { ...options, updateClip: 2 }),
    ];
    /** By how much each moved its first entry. */
    const step = (...gradient: [number, number]) => {
      const before = [free, clipped].map((variable) => variable.dataSync()[0]!);
      for (const optimiser of optimisers) optimiser.apply({ theta: tf.tensor1d(gradient) });
      return [free, clipped].map((variable, i) => variable.dataSync()[0]! - before[i]!) as [number, number];
    };
    let second = 0;
    for (let i = 0; i < 40; i++) {
      const g = i % 2 ? 1e-3 : -7e-4;
      second = 0.9 * second + 0.1 * g ** 2;
      const [change, clippedChange] = step(g, g);
      expect(clippedChange).toBeCloseTo(change, 8);
    }
    const correction = 1 - 0.9 ** 41;
    const squares = [1, 0.25].map((square) => (square * correction) / (0.9 * second + 0.1 * square));
    const ratio = Math.sqrt((squares[0]! + squares[1]!) / 2);
    expect(ratio).toBeGreaterThan(3);
    const [change, clippedChange] = step(1, -0.5);
    expect(change / clippedChange).toBeCloseTo(ratio / 2, 3);
  });

  it('takes NaN for zero, moments included', () => {
    const theta = scalarVariable(0.5);
    const adam = new Adam({ theta }, { transform: clipGradient(1) });
    adam.apply({ theta: tf.scalar(Number.NaN) });
    expectClose(theta, [0.5], 0);
  });

  it('follows a learning-rate function of the steps taken', () => {
    const theta = scalarVariable();
    const adam = new Adam({ theta }, { learningRate: (step) => tf.sub(1, step) as tf.Scalar });
    adam.apply({ theta: tf.scalar(1) });
    expectClose(theta, [-1], 1e-4);
    adam.apply({ theta: tf.scalar(1) });
    expectClose(theta, [-1], 1e-4);
  });

  it('goes on bit for bit from a saved state', async () => {
    const [first, second] = [scalarVariable(), scalarVariable()];
    const adam = new Adam({ theta: first });
    adam.apply({ theta: tf.scalar(0.3) });
    const copy = new Adam({ theta: second });
    copy.prepare(await adam.state())();
    second.assign(first);
    for (const optimiser of [adam, copy]) optimiser.apply({ theta: tf.scalar(-0.7) });
    expect(second.dataSync()).toEqual(first.dataSync());
  });

  it('refuses a state that does not fit and keeps its own', async () => {
    const adam = new Adam({ theta: scalarVariable() });
    adam.apply({ theta: tf.scalar(1) });
    const before = await adam.state();
    expect(() => adam.prepare({ ...before, 'second/theta': { shape: [2], data: new Float32Array(2) } })).toThrow(
      CheckpointError,
    );
    expect(await adam.state()).toEqual(before);
  });

  it('leaks no tensor over 100 steps', () => {
    const theta = scalarVariable(1);
    const adam = new Adam({ theta });
    const before = tf.memory().numTensors;
    for (let i = 0; i < 100; i++) {
      tf.tidy(() => adam.apply(lossAndGradients({ theta }, () => ({ loss: tf.square(theta) as tf.Scalar })).gradients));
    }
    expect(tf.memory().numTensors).toBe(before);
    expect(Math.abs(theta.dataSync()[0]!)).toBeLessThan(1);
  });

  it('says what is wrong with its options', () => {
    expect(() => new Adam({}, { beta1: 1 })).toThrow('Adam: beta1 must be a number >= 0 and < 1, got 1.');
    expect(() => new Adam({}, { updateClip: 0 })).toThrow('Adam: updateClip must be a number > 0, got 0.');
    expect(() => clipGradient(0)).toThrow(ArgumentError);
  });
});

describe('lossAndGradients', () => {
  it('leaves alone what it is given, also where that is handed out', () => {
    const [a, outer] = [tf.variable(tf.scalar(3)), tf.scalar(5)];
    const { results } = lossAndGradients({ a }, () => ({ loss: tf.square(a) as tf.Scalar, a, outer }));
    expect([a, outer, results.a, results.outer].map((x) => x.dataSync()[0])).toEqual([3, 5, 3, 5]);
  });

  it('hands out the loss, what else was computed, and zeros for unused variables', () => {
    const [a, b] = [scalarVariable(3), scalarVariable(5)];
    const { results, gradients } = lossAndGradients({ a, b }, () => ({
      loss: tf.square(a) as tf.Scalar,
      twice: tf.mul(a, 2),
    }));
    expectClose(results.loss, [9], 0);
    expectClose(results.twice!, [6], 0);
    expectClose(gradients.a!, [6], 0);
    expectClose(gradients.b!, [0], 0);
  });
});
