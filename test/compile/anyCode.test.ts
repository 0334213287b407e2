import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CompileError, compile } from '../../src/compile/index.js';

const arrays = { outputs: 'arrays' } as const;
const model = () => {
  const net = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] });
  net.compile({ loss: 'meanSquaredError', optimizer: 'sgd' });
  return net;
};

afterEach(() => tf.disposeVariables());

describe('random numbers', () => {
  const drop = tfl.layers.dropout({ rate: 0.5 });
  const refused: Record<string, (x: tf.Tensor) => unknown> = {
    'tf.randomNormal': (x) => tf.add(x, tf.randomNormal([8])),
    'tf.randomUniform, folded': (x) => tf.add(x, tf.exp(tf.mul(2, tf.randomUniform([8])))),
    'Math.random': (x) => tf.mul(x, Math.random()),
    'tf.dropout': (x) => tf.dropout(x, 0.5),
    'the dropout layer': (x) => drop.apply(x, { training: true }),
    'as a result': () => tf.randomNormal([8]),
    'assigned to a variable': () => tf.variable(tf.zeros([8])).assign(tf.randomNormal([8])),
  };
  it.each(Object.keys(refused))('drawn inside are refused with their place: %s', async (name) => {
    const calling = compile(refused[name]!)(tf.ones([8]));
    await expect(calling).rejects.toThrow(CompileError);
    await expect(calling).rejects.toThrow(/drawn inside a compiled function, at .*anyCode\.test\.ts.*as an argument/);
  });

  it('may start variables, may be seeded, and may be drawn for nothing', async () => {
    const random = Math.random;
    let weight: tf.Variable | undefined;
    const f = compile((x: tf.Tensor) => {
      weight ??= tf.variable(tf.mul(tf.randomNormal([8]), 2));
      tf.randomNormal([8]);
      return tf.addN([x, weight, tf.randomNormal([8], 0, 1, 'float32', 7)]);
    }, arrays);
    const seeded = tf.randomNormal([8], 0, 1, 'float32', 7).dataSync();
    const first = (await f(tf.zeros([8]))).data;
    weight!.dataSync().forEach((value, i) => void expect(first[i]).toBeCloseTo(value + seeded[i]!, 5));
    expect(Math.random).toBe(random);
  });
});

describe('state that the graph would freeze', () => {
  it('a learning rate that is set later is an error, and nothing is trained', async () => {
    const optimizers = [tf.train.sgd(1), tf.train.momentum(1, 0.9), tf.train.adam(1), tf.train.rmsprop(1)];
    for (const optimizer of optimizers) {
      const w = tf.variable(tf.scalar(0));
      const step = compile((x: tf.Tensor) => {
        const { value, grads } = tf.variableGrads(() => tf.mul(w, tf.sum(x)) as tf.Scalar, [w]);
        optimizer.applyGradients(grads as never);
        return value;
      }, arrays);
      await step(tf.ones([1]));
      const before = w.dataSync()[0]!;
      expect(before).not.toBe(0);
      await step(tf.ones([1]));
      const after = w.dataSync()[0]!;
      Object.assign(optimizer, { learningRate: 0.001 });
      await expect(step(tf.ones([1]))).rejects.toThrow(/learning rate of \w+Optimizer is now 0.001, but 1.*diffrl/);
      expect(w.dataSync()[0]).toBe(after);
    }
  });

  it('a stateful layer is an error, and goes on eagerly', async () => {
    const lstm = tfl.layers.lstm({
      units: 2,
      stateful: true,
      batchInputShape: [1, 3, 2],
      recurrentInitializer: 'glorotUniform',
    });
    const net = tfl.sequential({ layers: [lstm] });
    const x = tf.ones([1, 3, 2]);
    const first = (net.apply(x) as tf.Tensor).dataSync();
    net.resetStates();
    await expect(compile((input: tf.Tensor) => net.apply(input) as tf.Tensor)(x)).rejects.toThrow(
      /Hold state in variables/,
    );
    net.resetStates();
    expect((net.apply(x) as tf.Tensor).dataSync()).toEqual(first);
  });

  it('a constant that is kept is an ordinary tensor afterwards', async () => {
    let sgd: tf.SGDOptimizer | undefined;
    let kept: tf.Tensor | undefined;
    const w = tf.variable(tf.tensor1d([1, 1]));
    const step = compile((x: tf.Tensor1D) => {
      sgd ??= tf.train.sgd(0.5);
      kept ??= tf.keep(tf.tensor1d([3, 4]));
      const { grads } = tf.variableGrads(() => tf.sum(tf.mul(w, x)) as tf.Scalar, [w]);
      sgd.applyGradients(grads as never);
      return tf.mul(x, kept);
    }, arrays);
    const x = { data: Float32Array.of(1, 2), shape: [2] };
    expect((await step(x)).data).toEqual(Float32Array.of(3, 8));
    expect((await step(x)).data).toEqual(Float32Array.of(3, 8));
    expect(kept!.dataSync()).toEqual(Float32Array.of(3, 4));
    expect(w.dataSync()).toEqual(Float32Array.of(0, -1));
    sgd!.applyGradients({ [w.name]: tf.ones([2]) } as never);
    expect(w.dataSync()).toEqual(Float32Array.of(-0.5, -1.5));
  });
});

describe('promises', () => {
  it.each<[string, () => (x: tf.Tensor) => unknown]>([
    ['an async function', () => async (x) => tf.neg(await x)],
    ['a promise in the result', () => (x) => ({ loss: x.data() })],
    [
      'trainOnBatch',
      () => {
        const net = model();
        return (x) => net.trainOnBatch(x, tf.zeros([4, 1]));
      },
    ],
  ])('are one clear error and no unhandled rejection: %s', async (_, make) => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    await expect(compile(make() as never)(tf.ones([4, 2]))).rejects.toThrow(CompileError);
    await new Promise((resolve) => void setTimeout(resolve, 20));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    expect(tf.getBackend()).toBe('cpu');
  });
});

it('two copies of the library in one process share one queue', async () => {
  vi.resetModules();
  const copy: typeof import('../../src/compile/index.js') = await import('../../src/compile/index.js');
  expect(copy.compile).not.toBe(compile);
  const total = tf.variable(tf.scalar(0));
  const program = (x: tf.Tensor) => void total.assign(tf.add(tf.mul(total, 2), tf.sum(x)) as tf.Scalar);
  const both = [compile(program), copy.compile(program)];
  const x = tf.ones([1]);
  await Promise.all([0, 1, 0, 1, 1, 0].map((i) => both[i]!(x)));
  expect(total.dataSync()[0]).toBe(63);
  expect(createRequire(import.meta.url)('@tensorflow/tfjs-core').Tensor).toBe(tf.Tensor);
});
