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

it('cannot hold state', () => {
  const v = tf.variable(tf.scalar(1));
  const fn = ({ x }: { x: tf.Tensor }) => ({ y: v.assign(x as tf.Scalar) ?? tf.clone(v) });
  expect(() => traceToOnnx(fn, { x: { shape: [] } })).toThrow(CompileError);
  v.dispose();
});
