/**
 * Ways to sample a mixture of two Gaussians in the plane (Figure 2 of the SDAC paper): denoising score matching (DSM), which needs
 * samples of the mixture; reverse sampling score matching (RSSM), which needs its density alone, from two sampling distributions;
 * and Langevin dynamics with the exact score, which finds both modes but not their weights. Takes two to three minutes.
 *
 *   npx tsx examples/gaussian-mixture.ts [--steps 5000] [--schedule cosine|linear] [--seed 0] [--out gaussian-mixture.svg]
 */
import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import {
  Adam,
  addNoise,
  annealedLangevin,
  cosineSchedule,
  DdpmSampler,
  denoisingScoreMatchingLoss,
  langevin,
  linearDecay,
  linearSchedule,
  lossAndGradients,
  type NetworkFactory,
  type NoiseSchedule,
  noiseLevels,
  Rng,
  rssmLoss,
  type StateArray,
  sinusoidalFeatures,
  TimeConditionedMlp,
} from 'diffrl';
import { compile } from 'diffrl/compile';
import { useBestBackend } from 'diffrl/node';
import { picture } from './mixture/picture.js';
import { draw, type Fit, fitOf, logDensity, score } from './mixture/target.js';

/** All points are within; predictions of clean points are clipped to it, and reverse samples are drawn in it. */
const LIMIT = 7;
const REVERSE_SAMPLES = 64;

export const schedules = {
  cosine: cosineSchedule({ steps: 20 }),
  linear: linearSchedule({ steps: 20, start: 0.001 }),
};

/** A way to train a network that predicts noise: what one update sees, and its loss. */
interface Method {
  batch(rng: Rng, rows: number): { points: StateArray; noise: StateArray };
  loss(predict: Predict, batch: { points: tf.Tensor2D; step: tf.Tensor1D; noise: tf.Tensor }): tf.Scalar;
}
type MethodFor = (schedule: NoiseSchedule) => Method;
type Predict = (noised: tf.Tensor2D, step: tf.Tensor1D) => tf.Tensor2D;

/** Samples of the mixture are noised, and the network regresses on the noise. */
const dsm: MethodFor = (schedule) => ({
  batch: (rng, rows) => ({
    points: { data: draw(rng, rows), shape: [rows, 2] },
    noise: { data: rng.normals(2 * rows), shape: [rows, 2] },
  }),
  loss(predict, { points, step, noise }) {
    const noised = addNoise(points, noise as tf.Tensor2D, noiseLevels(schedule, step));
    return denoisingScoreMatchingLoss(predict(noised, step), noise as tf.Tensor2D);
  },
});

/** Noised points come from anywhere; the network regresses on noise weighted by the density of where it leads. */
const rssm =
  (noisedPoints: (rng: Rng, size: number) => Float32Array): MethodFor =>
  (schedule) => ({
    batch: (rng, rows) => ({
      points: { data: noisedPoints(rng, 2 * rows), shape: [rows, 2] },
      noise: { data: rng.uniforms(2 * rows * REVERSE_SAMPLES), shape: [rows, 2, REVERSE_SAMPLES] },
    }),
    loss(predict, { points, step, noise }) {
      const inputs = { noised: points, step, noise: noise as tf.Tensor3D };
      return rssmLoss(predict, inputs, { schedule, logWeight: logDensity, limit: LIMIT }).loss;
    },
  });

export const methods = {
  'DSM, samples given': dsm,
  'RSSM from N(0, 4 I)': rssm((rng, size) => rng.normals(size, 0, 2)),
  'RSSM from U(-6, 6)': rssm((rng, size) => rng.uniforms(size, -6, 6)),
};

interface Training {
  schedule: NoiseSchedule;
  steps: number;
  batchSize?: number;
  seed?: number;
}

/** Trains a diffusion model for the mixture; returns a function that draws points, `[count * 2]`. */
export async function train(method: MethodFor, { schedule, steps, batchSize = 1024, seed = 0 }: Training) {
  const { batch, loss } = method(schedule);
  const rng = Rng.fromSeed(seed);
  const sampler = new DdpmSampler({ schedule, limit: LIMIT, network: smallNetwork });
  sampler.build(rng.split('network'), { observationSize: 1, actionSize: 2 });
  const adam = new Adam(sampler.variables, { learningRate: linearDecay({ from: 1e-3, to: 0, over: steps }) });
  const predict: Predict = (noised, step) => sampler.predictNoise(noised, nothing(batchSize), step);

  const update = compile(
    (points: tf.Tensor2D, step: tf.Tensor1D, noise: tf.Tensor) => {
      const { results, gradients } = lossAndGradients(sampler.variables, () => ({
        loss: loss(predict, { points, step, noise }),
      }));
      adam.apply(gradients);
      return results.loss;
    },
    { outputs: 'arrays' },
  );
  for (let i = 0; i < steps; i++) {
    const { points, noise } = batch(rng, batchSize);
    await update(points, { data: rng.integers(batchSize, schedule.steps), shape: [batchSize] }, noise);
  }
  await update.dispose();

  return async (count: number): Promise<Float32Array> => {
    const sample = compile((noise: tf.Tensor) => sampler.actions(nothing(count), noise), { outputs: 'arrays' });
    const shape = sampler.noiseShape(count);
    const { data } = await sample({ data: rng.normals(shape[0] * shape[1] * shape[2]), shape });
    await sample.dispose();
    return data as Float32Array;
  };
}

/** A policy's networks see observations; there is nothing to observe here. */
const nothing = (rows: number): tf.Tensor2D => tf.zeros([rows, 1]);

/** Two hidden layers of 128, leaky ReLU; points are scaled down for it. */
const smallNetwork: NetworkFactory = (rng, sizes) => {
  const network = new TimeConditionedMlp(rng, {
    ...sizes,
    hidden: [128, 128],
    activation: (x) => tf.leakyRelu(x),
    timeFeatures: sinusoidalFeatures(16),
    timeSize: 16,
    lastKernel: 'normal',
  });
  return {
    variables: network.variables,
    bind: (...rest) => {
      const predict = network.bind(...rest);
      return (x, step) => predict(tf.mul(x, 0.25), step);
    },
    dispose: () => network.dispose(),
  };
};

/**
 * Langevin dynamics with the exact score, from N(0, 4 I): 20 plain steps, or 5 at each noise level of `schedule`, at the highest of
 * which the modes overlap and their weights can even out.
 */
export async function runLangevin(rng: Rng, count: number, schedule?: NoiseSchedule): Promise<Float32Array> {
  const normals = (std = 1): tf.Tensor2D => tf.tensor2d(rng.normals(2 * count, 0, std), [count, 2]);
  const points = tf.tidy(() => {
    const start = normals(2);
    const noise = (steps: number) => Array.from({ length: steps }, () => normals());
    if (!schedule) return langevin((x) => score(x), start, noise(20), 0.1);
    const noisedScore = (x: tf.Tensor2D, step: number) => score(x, Math.sqrt(schedule.alphaBars[step]!));
    return annealedLangevin(noisedScore, start, noise(5 * schedule.steps), { schedule, stepSize: 1, repeats: 5 });
  });
  return (await points.data()) as Float32Array;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      steps: { type: 'string', default: '5000' },
      samples: { type: 'string', default: '50000' },
      schedule: { type: 'string', default: 'cosine' },
      seed: { type: 'string', default: '0' },
      out: { type: 'string', default: 'gaussian-mixture.svg' },
    },
  });
  const schedule = schedules[values.schedule as keyof typeof schedules];
  if (!schedule) throw new Error(`--schedule must be cosine or linear, got ${values.schedule}.`);
  const [count, steps, seed] = [values.samples, values.steps, values.seed].map(Number) as [number, number, number];
  await useBestBackend(['@tensorflow/tfjs-backend-cpu']);
  const rng = Rng.fromSeed(seed);

  console.log(`${'method'.padEnd(22)}  weight KL(p|q) KL(q|p) near a mode`);
  const results: [string, Float32Array][] = [];
  const report = (name: string, points: Float32Array) => {
    results.push([name, points]);
    console.log(row(name, fitOf(points)));
  };
  report('the mixture itself', draw(rng.split('mixture'), count));
  for (const [name, method] of Object.entries(methods)) {
    const sample = await train(method, { schedule, steps, seed });
    report(name, await sample(count));
  }
  report('Langevin', await runLangevin(rng.split('langevin'), count));
  report('annealed Langevin', await runLangevin(rng.split('annealed'), count, schedule));
  await writeFile(values.out, picture(results).svg);
  console.log(`The picture is in ${values.out}.`);
}

function row(name: string, { weight, klForward, klReverse, nearMode }: Fit): string {
  const numbers = [weight, klForward, klReverse, nearMode].map((value) => value.toFixed(3).padStart(8));
  return `${name.padEnd(22)}${numbers.join('')}`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
