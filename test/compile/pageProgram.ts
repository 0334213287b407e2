import * as tf from '@tensorflow/tfjs-core';
import { type CompileOptions, compile } from '../../src/compile/index.js';
import { gelu } from '../../src/ops/activations.js';
import { Adam } from '../../src/ops/adam.js';
import { lossAndGradients } from '../../src/ops/gradients.js';

/** Fits a small network in compiled updates; the losses, and a weight read eagerly at the end. */
export async function fit(
  options: Pick<CompileOptions, 'runtime' | 'device'>,
): Promise<{ losses: number[]; weight: number }> {
  const grid = (rows: number, columns: number, step: number) =>
    Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * step));
  const variables = {
    hidden: tf.variable(tf.tensor2d(grid(3, 16, 1.1), [3, 16])),
    output: tf.variable(tf.tensor2d(grid(16, 1, 0.7), [16, 1])),
  };
  const adam = new Adam(variables, { learningRate: 0.01 });
  const update = compile(
    (x: tf.Tensor2D, y: tf.Tensor2D) => {
      const { results, gradients } = lossAndGradients(variables, () => {
        const prediction = tf.matMul(
          gelu(tf.matMul(x, variables.hidden as tf.Tensor2D)),
          variables.output as tf.Tensor2D,
        );
        return { loss: tf.mean(tf.squaredDifference(prediction, y)) as tf.Scalar };
      });
      adam.apply(gradients);
      return results.loss;
    },
    { ...options, outputs: 'arrays' },
  );
  const x = { data: grid(32, 3, 0.3), shape: [32, 3] };
  const y = { data: grid(32, 1, 0.9), shape: [32, 1] };
  const losses: number[] = [];
  for (let i = 0; i < 20; i++) losses.push((await update(x, y)).data[0]!);
  await update.dispose();
  return { losses, weight: (await variables.hidden.data())[0]! };
}
