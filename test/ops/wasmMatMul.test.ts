import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { Rng, speedUpWasmMatMul } from 'diffrl';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

beforeAll(async () => {
  await tf.setBackend('wasm');
  expect(speedUpWasmMatMul()).toBe(true);
});
afterAll(() => tf.setBackend('cpu'));

const rng = Rng.fromSeed(1);
const random = (...shape: number[]) => ({ data: rng.normals(shape.reduce((a, b) => a * b)), shape });

/** `run` on wasm and on cpu; the values of all its results. */
async function both(run: () => tf.Tensor[]) {
  const results: Float32Array[][] = [];
  for (const backend of ['wasm', 'cpu']) {
    await tf.setBackend(backend);
    const tensors = tf.tidy(run);
    results.push(await Promise.all(tensors.map((tensor) => tensor.data() as Promise<Float32Array>)));
    tf.dispose(tensors);
  }
  await tf.setBackend('wasm');
  return results as [Float32Array[], Float32Array[]];
}

function expectClose([wasm, cpu]: [Float32Array[], Float32Array[]]) {
  wasm.forEach((values, i) => {
    values.forEach((value, j) => {
      expect(Math.abs(value - cpu[i]![j]!)).toBeLessThan(1e-5 * (1 + Math.abs(value)));
    });
  });
}

describe('speedUpWasmMatMul', () => {
  it.each([
    [[5, 7], [7, 3], false, false],
    [[7, 5], [7, 3], true, false],
    [[5, 7], [3, 7], false, true],
    [[7, 5], [3, 7], true, true],
    [[4, 7, 5], [4, 3, 7], true, true],
    [[1, 1], [1, 1], true, true],
    [[2, 1, 7, 5], [2, 1, 7, 3], true, false],
  ])(
    'product %j %j, transposed %s %s: value and gradients are those of the cpu backend to 1e-5',
    async (shapeA, shapeB, transposeA, transposeB) => {
      const [a, b] = [random(...shapeA), random(...shapeB)];
      expectClose(
        await both(() => {
          const product = (x: tf.Tensor, y: tf.Tensor) => tf.matMul(x, y, transposeA, transposeB);
          const inputs = [a, b].map(({ data, shape }) => tf.tensor(data, shape)) as [tf.Tensor, tf.Tensor];
          return [product(...inputs), ...tf.grads((x, y) => tf.sum(tf.square(product(x!, y!))))(inputs)];
        }),
      );
    },
  );

  it('covers the fused kernel, with bias and activation', async () => {
    const [a, b, bias] = [random(6, 4), random(3, 6), random(3)];
    expectClose(
      await both(() => [
        tf.fused.matMul({
          a: tf.tensor2d(a.data, [6, 4]),
          b: tf.tensor2d(b.data, [3, 6]),
          transposeA: true,
          transposeB: true,
          bias: tf.tensor1d(bias.data),
          activation: 'relu',
        }),
      ]),
    );
  });

  it('leaks neither tensors nor data', async () => {
    const step = () =>
      tf.tidy(() => {
        const x = tf.ones([8, 4]);
        tf.grad((w) => tf.sum(tf.matMul(x, w as tf.Tensor2D)))(tf.ones([4, 2]));
      });
    step();
    const before = { ...tf.memory(), dataIds: tf.backend().numDataIds() };
    for (let i = 0; i < 10; i++) step();
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
    expect(tf.backend().numDataIds()).toBe(before.dataIds);
  });

  it('replaces the kernels once', () => {
    const kernel = tf.getKernel('BatchMatMul', 'wasm').kernelFunc;
    expect(speedUpWasmMatMul()).toBe(true);
    expect(tf.getKernel('BatchMatMul', 'wasm').kernelFunc).toBe(kernel);
  });
});
