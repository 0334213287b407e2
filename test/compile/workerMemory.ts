/** Prints the memory of a process in MiB: before, while and after four variables of 9 MiB are trained in the worker. */
import '@tensorflow/tfjs-backend-cpu';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { compile } from '../../src/compile/index.js';

const mebibytes = () => process.memoryUsage().rss / 2 ** 20;

async function train(size: number): Promise<number> {
  const weights = [0, 1, 2, 3].map(() => tf.variable(tf.zeros([size, size])));
  const step = compile(
    (x: tf.Tensor) => {
      for (const weight of weights) weight.assign(tf.add(tf.mul(weight, 0.9), tf.mean(x)));
      return tf.sum(weights[0]!);
    },
    { worker: true, outputs: 'arrays' },
  );
  for (let i = 0; i < 4; i++) await step({ data: Float32Array.of(1), shape: [1] });
  const running = mebibytes();
  await step.dispose();
  tf.dispose(weights);
  await sleep(200);
  globalThis.gc!();
  await sleep(200);
  return running;
}

tf.env().set('IS_TEST', true);
await tf.setBackend('cpu');
await train(8);
const before = mebibytes();
const running = await train(1536);
console.log(JSON.stringify({ before, running, after: mebibytes() }));
