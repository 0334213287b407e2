import * as tf from '@tensorflow/tfjs-core';
import {
  addNoise,
  annealedLangevin,
  bestOf,
  cosineSchedule,
  DdpmSampler,
  langevin,
  linearSchedule,
  type NoiseSchedule,
  noiseFromScore,
  noiseLevels,
  Rng,
  removeNoise,
  Sampler,
  type StepNetwork,
  scoreFromNoise,
} from 'diffrl';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../close.js';

/** A network that predicts noise by a function of the latent and the step. */
function predictor(predict: (x: tf.Tensor2D, step: number) => tf.Tensor2D): StepNetwork {
  return {
    variables: {},
    bind: () => (x, step) => predict(x, typeof step === 'number' ? step : (step.dataSync()[0] as number)),
    dispose: () => undefined,
  };
}

const sizes = { observationSize: 1, actionSize: 2 };
const moments = (x: tf.Tensor) => {
  const { mean, variance } = tf.moments(x);
  return { mean: mean.dataSync()[0]!, std: Math.sqrt(variance.dataSync()[0]!) };
};

describe('DdpmSampler', () => {
  it('is the textbook update where nothing is clipped (1e-5)', () => {
    const schedule = linearSchedule({ steps: 8, start: 0.05, end: 0.4 });
    const predict = (x: tf.Tensor2D, i: number) => tf.mul(tf.tanh(x), 0.1 * i + 0.2) as tf.Tensor2D;
    const sampler = new DdpmSampler({ schedule, startStd: 0.5, limit: Infinity, network: () => predictor(predict) });
    sampler.build(Rng.fromSeed(0), sizes);
    const noise = tf.tensor3d(Rng.fromSeed(1).normals(8 * 3 * 2), [8, 3, 2]);
    const [start, ...kicks] = tf.unstack(noise) as tf.Tensor2D[];
    let x: tf.Tensor2D = tf.mul(start!, 0.5);
    for (let i = 7; i >= 0; i--) {
      // x_{i-1} = (x - beta / sqrt(1 - abar) eps) / sqrt(alpha) + sqrt((1 - abar_{i-1}) / (1 - abar) beta) z
      const beta = schedule.betas[i]!;
      const bar = schedule.alphaBars[i]!;
      const mean = tf.div(tf.sub(x, tf.mul(predict(x, i), beta / Math.sqrt(1 - bar))), Math.sqrt(1 - beta));
      const std = Math.sqrt(((1 - (schedule.alphaBars[i - 1] ?? 1)) / (1 - bar)) * beta);
      x = i > 0 ? tf.add(mean, tf.mul(kicks[7 - i]!, std)) : (mean as tf.Tensor2D);
    }
    expectClose(sampler.actions(tf.zeros([3, 1]), noise), x.dataSync(), 1e-5);
  });

  it('with the exact noise of a Gaussian reproduces its mean, and its deviation as narrowed as 20 steps make it', () => {
    const [mean, std] = [0.3, 0.2];
    const { steps, betas, alphas, alphaBars, posteriorVariances } = cosineSchedule({ steps: 20 });
    const gain = (bar: number) => Math.sqrt(1 - bar) / (bar * std ** 2 + 1 - bar);
    const exact = (x: tf.Tensor2D, i: number) => {
      const bar = alphaBars[i]!;
      return tf.mul(tf.sub(x, Math.sqrt(bar) * mean), gain(bar)) as tf.Tensor2D;
    };
    // Every kernel is linear, so the variance follows by hand.
    let variance = 1 - alphaBars[steps - 1]!;
    for (let i = steps - 1; i >= 0; i--) {
      const [bar, before] = [alphaBars[i]!, alphaBars[i - 1] ?? 1];
      const ofClean =
        ((betas[i]! * Math.sqrt(before)) / (1 - bar)) * ((1 - Math.sqrt(1 - bar) * gain(bar)) / Math.sqrt(bar));
      const ofState = ((1 - before) * Math.sqrt(alphas[i]!)) / (1 - bar);
      variance = (ofClean + ofState) ** 2 * variance + posteriorVariances[i]!;
    }
    const sampler = new DdpmSampler({ steps, limit: 5, network: () => predictor(exact) }).build(Rng.fromSeed(0), sizes);
    const noise = tf.tensor3d(Rng.fromSeed(1).normals(steps * 5000 * 2), [steps, 5000, 2]);
    const got = moments(sampler.actions(tf.zeros([5000, 1]), noise));
    expect(Math.abs(got.mean - mean)).toBeLessThan(0.008); // four standard errors
    expect(Math.abs(got.std / Math.sqrt(variance) - 1)).toBeLessThan(0.03); // four standard errors
    expect(Math.sqrt(variance) / std).toBeLessThan(0.9);
  });

  it('starts wider or narrower as asked, by default as wide as the noised data', () => {
    const cosine = cosineSchedule({ steps: 20, scale: 0.8 });
    expect(new DdpmSampler({ schedule: cosine }).startStd).toBeCloseTo(Math.sqrt(1 - 4.685e-3), 5);
    const sampler = new DdpmSampler({ startStd: 0.5 }).build(Rng.fromSeed(0), sizes);
    const noise = tf.tensor3d(Rng.fromSeed(1).normals(20 * 2), [20, 1, 2]);
    const [start] = sampler.chain(tf.zeros([1, 1]), noise).states;
    expectClose(start!, tf.mul(noise, 0.5).dataSync().slice(0, 2), 1e-7);
  });

  it('draws particles of one observation as it draws repeated observations (1e-5), all within the limit', () => {
    const sampler = new DdpmSampler({ steps: 5 }).build(Rng.fromSeed(0), { observationSize: 3, actionSize: 2 });
    const observations = tf.tensor2d(Rng.fromSeed(1).normals(6), [2, 3]);
    const noise = tf.tensor3d(Rng.fromSeed(2).normals(5 * 8 * 2), [5, 8, 2]);
    const particles = sampler.actions(observations, noise, 4);
    const repeated = tf.gather(observations, [0, 0, 0, 0, 1, 1, 1, 1]);
    expectClose(particles, sampler.actions(repeated, noise).dataSync(), 1e-5);
    expect(Math.max(...particles.dataSync().map(Math.abs))).toBeLessThanOrEqual(1);
  });

  it('gives the training form of the network what sampling sees (1e-6)', () => {
    const sampler = new DdpmSampler({ steps: 5 }).build(Rng.fromSeed(0), sizes);
    const [x, observations] = [tf.tensor2d([[0.3, -0.2]]), tf.tensor2d([[0.7]])];
    for (const i of [0, 3]) {
      const step = tf.tensor1d([i]);
      const noise = sampler.predictNoise(x, observations, step);
      const score = tf.mul(noise, -1 / Math.sqrt(1 - sampler.schedule.alphaBars[i]!));
      expectClose(sampler.score(x, observations, step), score.dataSync(), 1e-5);
    }
  });

  it('has evaluation noise that depends on the observation alone', () => {
    const sampler = new DdpmSampler({ steps: 3 }).build(Rng.fromSeed(0), { observationSize: 2, actionSize: 1 });
    const [a, b] = [
      [0.5, -1],
      [0.5, 0],
    ];
    const both = sampler.observationNoise(Float32Array.from([...b!, ...a!]), 2);
    const alone = sampler.observationNoise(Float32Array.from(a!), 2);
    expect(both.length).toBe(3 * 4);
    for (const k of [0, 1, 2]) expect(both.slice(4 * k + 2, 4 * k + 4)).toEqual(alone.slice(2 * k, 2 * k + 2));
    expect(both.slice(0, 2)).not.toEqual(alone.slice(0, 2));
    expect(Math.abs(moments(tf.tensor1d(sampler.observationNoise(new Float32Array(2), 3000))).std - 1)).toBeLessThan(
      0.03,
    );
  });

  it('has no density, and does not pretend to', () => {
    const sampler = new DdpmSampler();
    expect(sampler).not.toBeInstanceOf(Sampler);
    expect('sample' in sampler || 'divergence' in sampler).toBe(false);
  });

  it('keeps no tensors, and says what is wrong with its arguments', () => {
    const sampler = new DdpmSampler({ steps: 4 }).build(Rng.fromSeed(0), sizes);
    const [observations, noise] = [tf.zeros<tf.Rank.R2>([2, 1]), tf.zeros([4, 2, 2])];
    const before = tf.memory().numTensors;
    tf.tidy(() => sampler.actions(observations, noise)).dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(() => sampler.actions(observations, tf.zeros([5, 2, 2]))).toThrow(
      'DdpmSampler: noise must have shape [4, 2, 2], got [5, 2, 2].',
    );
    expect(() => new DdpmSampler({ steps: 3, schedule: cosineSchedule({ steps: 3 }) })).toThrow('not both');
    expect(() => new DdpmSampler({ startStd: 0 })).toThrow('startStd must be a number > 0, got 0.');
  });
});

it('bestOf picks the row with the largest value of each group', () => {
  const candidates = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]);
  expectClose(bestOf(candidates, tf.tensor1d([0, -1, -7, -5]), 2), [1, 2, 7, 8], 0);
  expectClose(bestOf(candidates, tf.tensor1d([0, -1, -7, -5]), 4), [1, 2], 0);
});

describe('noise and score', () => {
  const schedule: NoiseSchedule = cosineSchedule({ steps: 10 });
  const levels = noiseLevels(schedule, tf.tensor1d([0, 5, 9]));
  const [clean, noise] = [0, 1].map((seed) => tf.tensor2d(Rng.fromSeed(seed).normals(6), [3, 2])) as [
    tf.Tensor2D,
    tf.Tensor2D,
  ];

  it('keep the variance: signal^2 + noise^2 = 1', () => {
    expectClose(tf.add(tf.square(levels.signal), tf.square(levels.noise)), [1, 1, 1], 1e-6);
  });

  it('round trips: noise added and removed (1e-3 at the last level), score and noise (1e-6)', () => {
    expectClose(removeNoise(addNoise(clean, noise, levels), noise, levels), clean.dataSync(), 1e-3);
    expectClose(noiseFromScore(scoreFromNoise(noise, levels), levels), noise.dataSync(), 1e-6);
  });
});

describe('Langevin dynamics', () => {
  const normalScore = (x: tf.Tensor2D) => tf.neg(x) as tf.Tensor2D;
  const noise = (steps: number, rows: number) =>
    tf.unstack(tf.tensor3d(Rng.fromSeed(3).normals(steps * rows), [steps, rows, 1])) as tf.Tensor2D[];

  it('with step size 0.2 settles at variance 1 / (1 - 0.1) of a standard normal target', () => {
    const { mean, std } = moments(langevin(normalScore, tf.fill([20_000, 1], 3), noise(60, 20_000), 0.2));
    expect(Math.abs(mean)).toBeLessThan(0.04);
    expect(std ** 2).toBeCloseTo(1 / 0.9, 1); // standard error 0.011
  });

  it('anneals from the noisiest level down with steps proportional to its variance', () => {
    const schedule = linearSchedule({ steps: 3, start: 0.1, end: 0.5 });
    const seen: number[] = [];
    const still = (x: tf.Tensor2D, level: number) => {
      seen.push(level);
      return tf.onesLike(x);
    };
    const zeros = Array.from({ length: 6 }, () => tf.zeros<tf.Rank.R2>([1, 1]));
    const end = annealedLangevin(still, tf.zeros([1, 1]), zeros, { schedule, stepSize: 0.1, repeats: 2 });
    expect(seen).toEqual([2, 2, 1, 1, 0, 0]);
    const total = schedule.alphaBars.reduce((sum, bar) => sum + 0.2 * (1 - bar), 0);
    expectClose(end, [total], 1e-6);
  });

  it('says which step size or number of steps is wrong', () => {
    const start = tf.zeros<tf.Rank.R2>([1, 1]);
    const schedule = linearSchedule({ steps: 3 });
    expect(() => langevin(normalScore, start, noise(2, 1), 0)).toThrow('langevin: stepSizes[0] must be a number > 0');
    expect(() => langevin(normalScore, start, noise(2, 1), [0.1])).toThrow(
      'stepSizes must have 2 numbers (one a step)',
    );
    expect(() => annealedLangevin(normalScore, start, noise(4, 1), { schedule, stepSize: 1 })).toThrow(
      'annealedLangevin: noise must be 3 tensors (steps x repeats), got 4.',
    );
  });
});
