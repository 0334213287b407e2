import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { compile } from '../../src/compile/index.js';

const MEBIBYTE = 2 ** 20;

it('neither tensors nor memory grow over 1,000 calls', async () => {
  const weight = tf.variable(tf.tidy(() => tf.ones([256, 256])));
  const step = compile(
    (x: tf.Tensor2D) => {
      const { grads, value } = tf.variableGrads(
        () => tf.mean(tf.square(tf.matMul(x, weight as tf.Tensor2D))),
        [weight],
      );
      weight.assign(tf.sub(weight, tf.mul(grads[weight.name]!, 1e-3)));
      return value;
    },
    { outputs: 'arrays' },
  );
  const call = () => step({ data: new Float32Array(8 * 256).fill(0.1), shape: [8, 256] });
  for (let i = 0; i < 200; i++) await call();
  const { numTensors } = tf.memory();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 1000; i++) await call();
  expect(tf.memory().numTensors).toBe(numTensors);
  // Every call writes 256 KiB of results; without collection that would be 250 MiB.
  expect((process.memoryUsage().rss - before) / MEBIBYTE).toBeLessThan(100);
  await step.dispose();
  weight.dispose();
});

it('tracing and disposing leaves no tensors, and sessions give their memory back', async () => {
  const { numTensors } = tf.memory();
  const cycle = async () => {
    const constant = tf.ones([512, 512]);
    const f = compile((x: tf.Tensor2D) => tf.matMul(x, constant as tf.Tensor2D), { outputs: 'arrays' });
    for (const rows of [1, 2, 3]) await f({ data: new Float32Array(rows * 512), shape: [rows, 512] });
    await f.dispose();
    constant.dispose();
  };
  for (let i = 0; i < 10; i++) await cycle();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 40; i++) await cycle();
  expect(tf.memory().numTensors).toBe(numTensors);
  // 120 sessions with a constant of 1 MiB each.
  expect((process.memoryUsage().rss - before) / MEBIBYTE).toBeLessThan(60);
});
