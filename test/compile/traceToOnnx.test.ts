import * as tf from '@tensorflow/tfjs-core';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { CompileError, traceToOnnx } from '../../src/compile/index.js';

it('writes a file that ONNX Runtime alone can run', async () => {
  const weight = tf.variable(tf.tensor2d([1, 2, 3, 4], [2, 2]));
  const file = traceToOnnx(
    ({ observation, noise }) => ({
      action: tf.tanh(tf.add(tf.matMul(observation, weight), noise)),
      weight,
      copy: observation,
      large: tf.ones([2000]),
    }),
    { observation: { shape: [1, 2] }, noise: { shape: [2] }, unused: { shape: [3], dtype: 'int32' } },
  );
  weight.assign(tf.zeros([2, 2]));
  const session = await InferenceSession.create(file);
  expect(session.inputNames).toEqual(['observation', 'noise', 'unused']);
  expect(session.outputNames).toEqual(['action', 'weight', 'copy', 'large']);
  const {
    action,
    weight: written,
    copy,
    large,
  } = await session.run({
    observation: new Tensor('float32', [1, 1], [1, 2]),
    noise: new Tensor('float32', [-4, -5], [2]),
    unused: new Tensor('int32', [0, 0, 0], [3]),
  });
  expect(action!.data[0]).toBeCloseTo(Math.tanh(0), 6);
  expect(action!.data[1]).toBeCloseTo(Math.tanh(1), 6);
  expect(written!.data).toEqual(Float32Array.of(1, 2, 3, 4));
  expect(copy!.data).toEqual(Float32Array.of(1, 1));
  expect(large!.data).toEqual(new Float32Array(2000).fill(1));
  await session.release();
  weight.dispose();
});

it.each(['n', 'c', 'f', 's', '_n', '_c'])('takes names of inputs and outputs like %s1', async (letter) => {
  const program = (x: tf.Tensor) => tf.tanh(tf.add(tf.mul(tf.exp(x), tf.range(0, 2000)), 1));
  const shape = [2000];
  for (const name of Array.from({ length: 9 }, (_, id) => `${letter}${id}`)) {
    const files = [
      traceToOnnx((inputs) => ({ y: program(inputs[name]!), ones: tf.ones(shape) }), { [name]: { shape } }),
      traceToOnnx(({ x }) => ({ [name]: program(x), ones: tf.ones(shape) }), { x: { shape } }),
    ];
    for (const file of files) {
      const session = await InferenceSession.create(file);
      const [input, output] = [session.inputNames[0]!, session.outputNames[0]!];
      const results = await session.run({ [input]: new Tensor('float32', new Float32Array(2000).fill(-3), shape) });
      expect(results[output]!.data[5]).toBeCloseTo(Math.tanh(5 * Math.exp(-3) + 1), 6);
      expect(results.ones!.data[5]).toBe(1);
      await session.release();
    }
  }
});

it('refuses a result under the name of an input', () => {
  for (const run of [(x: tf.Tensor) => tf.neg(x), (x: tf.Tensor) => x]) {
    expect(() => traceToOnnx(({ x }) => ({ x: run(x) }), { x: { shape: [2] } })).toThrow(
      /fn returns 'x', which is an input too.*another name/,
    );
  }
});

it('cannot hold state', () => {
  const v = tf.variable(tf.scalar(1));
  const fn = ({ x }: { x: tf.Tensor }) => ({ y: v.assign(x as tf.Scalar) ?? tf.clone(v) });
  expect(() => traceToOnnx(fn, { x: { shape: [] } })).toThrow(CompileError);
  v.dispose();
});
