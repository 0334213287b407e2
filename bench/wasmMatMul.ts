/** What {@link speedUpWasmMatMul} gains for products of 256 x 256 matrices: `npx tsx bench/wasmMatMul.ts`. */
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { Rng, speedUpWasmMatMul } from 'diffrl';

await tf.setBackend('wasm');
const rng = Rng.fromSeed(1);
const [a, b] = [0, 1].map(() => tf.tensor2d(rng.normals(256 * 256), [256, 256])) as [tf.Tensor2D, tf.Tensor2D];
const programs: Record<string, () => tf.Tensor> = {
  'a b': () => tf.matMul(a, b),
  "a' b": () => tf.matMul(a, b, true),
  "a b'": () => tf.matMul(a, b, false, true),
  'value and gradient': () => tf.grad((x) => tf.sum(tf.matMul(x as tf.Tensor2D, b)))(a),
};

function milliseconds(program: () => tf.Tensor): number {
  const times = Array.from({ length: 15 }, () => {
    const start = performance.now();
    tf.tidy(() => program().dataSync());
    return performance.now() - start;
  });
  return times.sort((x, y) => x - y)[7] as number;
}

for (const program of Object.values(programs)) milliseconds(program); // warm up
const before = Object.values(programs).map(milliseconds);
speedUpWasmMatMul();
const after = Object.values(programs).map(milliseconds);
Object.keys(programs).forEach((name, i) => {
  const [slow, fast] = [before[i] as number, after[i] as number];
  console.log(
    `${name.padEnd(20)} ${slow.toFixed(1).padStart(7)} ms -> ${fast.toFixed(1).padStart(5)} ms   ${(slow / fast).toFixed(1)} times`,
  );
});
