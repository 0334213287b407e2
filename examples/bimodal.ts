/**
 * Primitives at work: fits policies to exp(Q / temperature) for a known, two-humped Q on actions in (-1, 1), and prints
 * the total-variation distance of their samples from the exact density. Run: npx tsx examples/bimodal.ts
 */
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import {
  Adam,
  type Divergence,
  dimeCosineSchedule,
  dmerlSampler,
  EulerMaruyamaSampler,
  GaussianSampler,
  logDerivativeKl,
  lossAndGradients,
  Rng,
  type Sampler,
  scaleSteps,
  TimeConditionedMlp,
  useBestBackend,
} from 'diffrl';
import { compile } from 'diffrl/compile';

const BINS = 40;

/** Log of the unnormalised target: humps at -0.5 and 0.6, the right one narrower and higher. */
export function logTarget(action: tf.Tensor): tf.Tensor1D {
  const hump = (centre: number, width: number, height: number) =>
    tf.add(tf.mul(tf.square(tf.div(tf.sub(action, centre), width)), -0.5), height);
  return tf.reshape(tf.logSumExp(tf.concat([hump(-0.5, 0.15, 0), hump(0.6, 0.1, 0.5)], 1), 1), [-1]);
}

/**
 * DIME's chain for one known target: a prior and step sizes such that noising forgets the action (half of it is left),
 * and a small network whose control counts in standard deviations of a step, so that small steps learn as fast as large ones.
 */
export function dimeSampler({ steps = 16, divergence }: { steps?: number; divergence?: Divergence } = {}) {
  const schedule = dimeCosineSchedule({ steps });
  const stepSize = 1.6 / steps;
  const perStd = schedule.stepSizes.map((size) => 1 / Math.sqrt(2 * stepSize * size));
  return new EulerMaruyamaSampler({
    schedule,
    stepSize,
    priorStd: 1,
    divergence,
    network: (rng, sizes) =>
      scaleSteps(new TimeConditionedMlp(rng, { ...sizes, hidden: [64, 64], timeSize: 32, balanced: true }), perStd),
  });
}

/** Trains `sampler` on the target; returns `count` actions. */
export async function fit(
  sampler: Sampler,
  { updates = 4000, batch = 256, count = 40_000, seed = 0 } = {},
): Promise<Float32Array> {
  const rng = Rng.fromSeed(seed);
  sampler.build(rng.split('networks'), { observationSize: 1, actionSize: 1 });
  const adam = new Adam(sampler.variables, {
    learningRate: (step) => tf.mul(2e-3, tf.sub(1, tf.div(step, updates))) as tf.Scalar,
  });
  const { trajectory, minGroupSize: groupSize } = sampler.requirements;
  const step = compile((observations: tf.Tensor2D, noise: tf.Tensor) => {
    const { results, gradients } = lossAndGradients(sampler.variables, () => {
      const path = sampler.sample(observations, noise, { trajectory, groupSize });
      return { loss: sampler.divergence(path, logTarget(path.action)) };
    });
    adam.apply(gradients);
    return results.loss;
  });
  const act = compile((observations: tf.Tensor2D, noise: tf.Tensor) => sampler.actions(observations, noise), {
    outputs: 'arrays',
  });
  const noise = (rows: number) => {
    const shape = sampler.noiseShape(rows);
    return { data: rng.normals(shape.reduce((size, n) => size * n)), shape };
  };
  const zeros = (rows: number) => ({ data: new Float32Array(rows), shape: [rows, 1] });
  for (let i = 0; i < updates; i++) (await step(zeros(batch / groupSize), noise(batch))).dispose();
  return (await act(zeros(count), noise(count))).data as Float32Array;
}

/** Total-variation distance between samples in (-1, 1) and the exact target, both in 40 bins. */
export function totalVariation(samples: Float32Array): number {
  const exact = exactMasses();
  const counts = new Float64Array(BINS);
  for (const x of samples) counts[Math.min(Math.floor(((x + 1) / 2) * BINS), BINS - 1)]! += 1;
  return 0.5 * exact.reduce((sum, mass, i) => sum + Math.abs(mass - counts[i]! / samples.length), 0);
}

/** The target's mass in every bin, by the midpoint rule with 50 points a bin. */
export function exactMasses(): number[] {
  const points = Array.from({ length: BINS * 50 }, (_, i) => -1 + (i + 0.5) / (BINS * 25));
  const density = tf.tidy(() => tf.exp(logTarget(tf.tensor2d(points, [points.length, 1]))).dataSync()) as Float32Array;
  const total = density.reduce((sum, value) => sum + value, 0);
  return Array.from(
    { length: BINS },
    (_, bin) => density.slice(50 * bin, 50 * bin + 50).reduce((sum, value) => sum + value, 0) / total,
  );
}

async function main() {
  await useBestBackend();
  const rows: [string, Sampler][] = [
    ["DIME's chain, reverse KL", dimeSampler()],
    ["DIME's chain, log-derivative", dimeSampler({ divergence: logDerivativeKl })],
    ["DMERL's chain, reverse KL", dmerlSampler({ steps: 16, hidden: [64, 64] })],
    ['Gaussian, reverse KL', new GaussianSampler({ hidden: [64, 64] })],
  ];
  for (const [name, sampler] of rows) {
    console.log(`${name.padEnd(28)} total variation ${totalVariation(await fit(sampler)).toFixed(3)}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
