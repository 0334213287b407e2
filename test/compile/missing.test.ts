import * as tf from '@tensorflow/tfjs-core';
import { expect, it, vi } from 'vitest';
import { compile, isCompileAvailable } from '../../src/compile/index.js';
import { MissingPackageError } from '../../src/errors.js';

vi.mock('onnxruntime-node', () => {
  throw new Error('Cannot find package');
});

it('says how to install ONNX Runtime when it is missing', async () => {
  expect(await isCompileAvailable()).toBe(false);
  const call = compile((x: tf.Tensor1D) => tf.neg(x))(tf.tensor1d([1]));
  await expect(call).rejects.toThrow(MissingPackageError);
  await expect(call).rejects.toThrow(/npm install onnxruntime-node/);
});
