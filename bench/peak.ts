/** What the machine can do at most. */
import * as tf from '@tensorflow/tfjs-core';
import { compile, type Device } from '../src/compile/index.js';
import { Rng } from '../src/rng/rng.js';
import { best } from './measure.js';

const SIZE = 2048;

/**
 * The speed of a product of large matrices in ONNX Runtime, GFLOP/s: a function that measures it for so many milliseconds
 * and gives the highest so far.
 */
export function peakMeter(threads: number, device: Device = 'cpu') {
  const product = compile((a: tf.Tensor2D, b: tf.Tensor2D) => tf.sum(tf.matMul(a, b)), {
    outputs: 'arrays',
    threads,
    device,
  });
  const matrix = { data: Rng.fromSeed(0).normals(SIZE * SIZE), shape: [SIZE, SIZE] };
  let highest = 0;
  const measure = async (budget = 3000) => {
    highest = Math.max(highest, (2 * SIZE ** 3) / (await best(() => product(matrix, matrix), budget)) / 1e6);
    return highest;
  };
  return { measure, dispose: () => product.dispose() };
}

/** Highest speed of a large matrix product in ONNX Runtime, in GFLOP/s. */
export async function peak(threads: number, device: Device = 'cpu'): Promise<number> {
  const meter = peakMeter(threads, device);
  const speed = await meter.measure();
  await meter.dispose();
  return speed;
}
