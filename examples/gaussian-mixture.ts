/**
 * Four ways to sample a mixture of two Gaussians in the plane (Figure 2 of the SDAC paper): denoising score matching,
 * which needs samples of the mixture; reverse sampling score matching from two sampling distributions, which needs its
 * density alone; and Langevin dynamics with the exact score, which finds both modes but not their weights.
 *
 *   npx tsx examples/gaussian-mixture.ts [--steps 10000] [--schedule cosine|linear] [--seed 0] [--out gaussian-mixture.svg]
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
  figure,
  histogram,
  langevin,
  line,
  linearSchedule,
  lossAndGradients,
  type NetworkFactory,
  type NoiseSchedule,
  noiseLevels,
  panels,
  Rng,
  rssmLoss,
  ScoreNetwork,
  scatter,
  sinusoidalFeatures,
} from 'diffrl';
import { compile } from 'diffrl/compile';
import { useBestBackend } from 'diffrl/node';
import { draw, type Fit, fitOf, logDensity, marginal, score } from './mixture.js';

/** All points are within; predictions of clean points are clipped to it, and reverse samples are drawn in it. */
const LIMIT = 7;
const REVERSE_SAMPLES = 64;

export const schedules = {
  cosine: cosineSchedule({ steps: 20 }),
  linear: linearSchedule({ steps: 20, start: 0.001 }),
};

/** How noised points are made for training: from samples of the mixture, or, knowing none, from anywhere. */
export const sources = {
  'DSM, samples given': undefined,
  'RSSM from N(0, 4 I)': (rng: Rng, size: number) => rng.normals(size, 0, 2),
  'RSSM from U(-6, 6)': (rng: Rng, size: number) => rng.uniforms(size, -6, 6),
};

interface Training {
  schedule: NoiseSchedule;
  steps: number;
  batchSize?: number;
  seed?: number;
}

/** Trains a diffusion model for the mixture; returns a function that draws points. */
export async function train(source: keyof typeof sources, { schedule, steps, batchSize = 1024, seed = 0 }: Training) {
  const rng = Rng.fromSeed(seed);
  const noisedPoints = sources[source];
  const sampler = new DdpmSampler({ schedule, limit: LIMIT, network: smallNetwork });
  sampler.build(rng.split('network'), { observationSize: 1, actionSize: 2 });
  const nothing = tf.zeros<tf.Rank.R2>([batchSize, 1]);
  const adam = new Adam(sampler.variables, {
    learningRate: (step) => tf.mul(tf.sub(1, tf.div(step, steps)), 1e-3),
  });
  const predict = (noised: tf.Tensor2D, step: tf.Tensor1D) => sampler.predictNoise(noised, nothing, step);

  const update = compile(
    (points: tf.Tensor2D, step: tf.Tensor1D, noise: tf.Tensor) => {
      const { results, gradients } = lossAndGradients(sampler.variables, () => {
        if (noisedPoints) {
          const inputs = { noised: points, step, noise: noise as tf.Tensor3D };
          return { loss: rssmLoss(predict, inputs, { schedule, logWeight: logDensity, limit: LIMIT }).loss };
        }
        const noised = addNoise(points, noise as tf.Tensor2D, noiseLevels(schedule, step));
        return { loss: denoisingScoreMatchingLoss(predict(noised, step), noise as tf.Tensor2D) };
      });
      adam.apply(gradients);
      return results.loss;
    },
    { outputs: 'arrays' },
  );
  const size = 2 * batchSize;
  const shape = [batchSize, 2];
  for (let i = 0; i < steps; i++) {
    const step = { data: Float32Array.from(rng.integers(batchSize, schedule.steps)), shape: [batchSize] };
    if (noisedPoints) {
      const noise = { data: rng.uniforms(size * REVERSE_SAMPLES), shape: [batchSize, 2, REVERSE_SAMPLES] };
      await update({ data: noisedPoints(rng, size), shape }, step, noise);
    } else {
      await update({ data: draw(rng, batchSize), shape }, step, { data: rng.normals(size), shape });
    }
  }
  await update.dispose();

  return async (count: number): Promise<Float32Array> => {
    const nobody = tf.zeros<tf.Rank.R2>([count, 1]);
    const sample = compile((noise: tf.Tensor) => sampler.actions(nobody, noise), { outputs: 'arrays' });
    const shape = sampler.noiseShape(count);
    return (await sample({ data: rng.normals(shape[0] * shape[1] * shape[2]), shape })).data as Float32Array;
  };
}

/** Two hidden layers of 128, leaky ReLU; points are scaled down for it. */
const smallNetwork: NetworkFactory = (rng, sizes) => {
  const network = new ScoreNetwork(rng, {
    ...sizes,
    hidden: [128, 128],
    activation: (x) => tf.leakyRelu(x),
    timeFeatures: sinusoidalFeatures(16),
    timeSize: 16,
    lastKernel: 'normal',
  });
  const scaled = (x: tf.Tensor2D): tf.Tensor2D => tf.mul(x, 0.25);
  return {
    variables: network.variables,
    apply: (x, ...rest) => network.apply(scaled(x), ...rest),
    bind: (...rest) => {
      const predict = network.bind(...rest);
      return (x, step) => predict(scaled(x), step);
    },
    dispose: () => network.dispose(),
  };
};

/**
 * Langevin dynamics with the exact score, from N(0, 4 I): 20 plain steps, or 5 at each noise level of `schedule`, where the modes
 * are close and their weights can even out.
 */
export async function runLangevin(count: number, schedule?: NoiseSchedule): Promise<Float32Array> {
  const rng = Rng.fromSeed(1);
  const points = tf.tidy(() => {
    const start = tf.tensor2d(rng.normals(2 * count, 0, 2), [count, 2]);
    const noise = (steps: number) =>
      Array.from({ length: steps }, () => tf.tensor2d(rng.normals(2 * count), [count, 2]));
    if (!schedule) return langevin((x) => score(x), start, noise(20), 0.1);
    const noisedScore = (x: tf.Tensor2D, step: number) => score(x, Math.sqrt(schedule.alphaBars[step]!));
    const options = { schedule, stepSize: 1, repeats: 5 };
    return annealedLangevin(noisedScore, start, noise(5 * schedule.steps), options);
  });
  return (await points.data()) as Float32Array;
}

/** The points of every method with the histogram of each coordinate under them, the exact density as a line. */
function picture(results: readonly [name: string, points: Float32Array][]) {
  const shown = (points: Float32Array, axis: 0 | 1, count = 2000) =>
    Array.from({ length: count }, (_, i) => points[2 * i + axis]!);
  const grid = Array.from({ length: 161 }, (_, i) => -8 + i / 10);
  const exact = () => line({ x: grid, y: grid.map(marginal), color: '#7d8590', width: 1.5 });
  const range = [-8, 8] as const;
  const clouds = results.map(([title, points], i) =>
    figure([scatter({ x: shown(points, 0), y: shown(points, 1), radius: 1.2, opacity: 0.4, color: colors[i] })], {
      title,
      x: range,
      y: range,
      width: 300,
      height: 310,
      equalAspect: true,
    }),
  );
  const bars = ([0, 1] as const).flatMap((axis) =>
    results.map(([, points], i) =>
      figure(
        [histogram({ values: shown(points, axis, points.length / 2), bins: 64, range, color: colors[i] }), exact()],
        {
          xLabel: `x${axis + 1}`,
          x: range,
          y: [0, 0.4],
          width: 300,
          height: 190,
        },
      ),
    ),
  );
  return panels([...clouds, ...bars], { columns: results.length, title: '0.8 N([3, 3], I) + 0.2 N([-3, -3], I)' });
}

const colors = ['#7d8590', '#2f7fd1', '#2e9e5b', '#9a5fd0', '#d9730d', '#d64550'];

function row(name: string, { weight, klForward, klReverse, nearMode }: Fit): string {
  const numbers = [weight, klForward, klReverse, nearMode].map((value) => value.toFixed(3).padStart(8));
  return `${name.padEnd(22)}${numbers.join('')}`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      steps: { type: 'string', default: '10000' },
      samples: { type: 'string', default: '50000' },
      schedule: { type: 'string', default: 'cosine' },
      seed: { type: 'string', default: '0' },
      out: { type: 'string', default: 'gaussian-mixture.svg' },
    },
  });
  const schedule = schedules[values.schedule as keyof typeof schedules];
  if (!schedule) throw new Error(`--schedule must be cosine or linear, got ${values.schedule}.`);
  await useBestBackend(['@tensorflow/tfjs-backend-cpu']);
  const count = Number(values.samples);
  const seed = Number(values.seed);

  console.log(`${'method'.padEnd(22)}  weight  KL(p|q) KL(q|p) near mode`);
  const results: [string, Float32Array][] = [];
  const report = (name: string, points: Float32Array) => {
    results.push([name, points]);
    console.log(row(name, fitOf(points)));
  };
  report('the mixture itself', draw(Rng.fromSeed(seed + 1), count));
  for (const source of Object.keys(sources) as (keyof typeof sources)[]) {
    const sample = await train(source, { schedule, steps: Number(values.steps), seed });
    report(source, await sample(count));
  }
  report('Langevin', await runLangevin(count));
  report('annealed Langevin', await runLangevin(count, schedule));
  await writeFile(values.out, picture(results).svg);
  console.log(`The picture is in ${values.out}.`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
