import * as tf from '@tensorflow/tfjs-core';
import {
  ArgumentError,
  cosineSchedule,
  denoisingScoreMatchingLoss,
  linearSchedule,
  lossAndGradients,
  type NoiseSchedule,
  type ReverseSamplingOptions,
  Rng,
  reverseSamplingTarget,
  rssmLoss,
  ShapeError,
} from 'diffrl';
import { compile } from 'diffrl/compile';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../close.js';

const linear = linearSchedule({ steps: 20, scale: 0.8 });
const cosine = cosineSchedule({ steps: 20 });

/** One noised point at one level, `count` reverse samples. */
function targetAt(schedule: NoiseSchedule, i: number, noised: number[], count: number, options: object) {
  const { proposal = 'truncated', ...rest } = options as Partial<ReverseSamplingOptions>;
  const rng = Rng.fromSeed(i);
  const size = count * noised.length;
  return reverseSamplingTarget(
    {
      noised: tf.tensor2d([noised]),
      step: tf.tensor1d([i]),
      noise: tf.tensor3d(proposal === 'clip' ? rng.normals(size) : rng.uniforms(size), [1, noised.length, count]),
    },
    { schedule, proposal, ...rest } as ReverseSamplingOptions,
  );
}

const gaussian = (mean: number, std: number) => (x: tf.Tensor2D) =>
  tf.mul(tf.sum(tf.square(tf.div(tf.sub(x, mean), std)), 1), -0.5) as tf.Tensor1D;

describe('RSSM on a Gaussian target without bounds', () => {
  // The noised target is N(sqrt(abar) m, abar S^2 + 1 - abar): its score is known.
  const [mean, std] = [0.3, 0.8];

  it.each(['truncated', 'clip'] as const)('%s: the exact score, to Monte-Carlo error', (proposal) => {
    for (const i of [0, 9, 19]) {
      const bar = cosine.alphaBars[i]!;
      const noised = [Math.sqrt(bar) * mean + 0.5, Math.sqrt(bar) * mean - 1.1];
      const { noise, clippedShare } = targetAt(cosine, i, noised, 20_000, {
        proposal,
        logWeight: gaussian(mean, std),
        limit: Infinity,
      });
      const expected = noised.map((x) => {
        return (Math.sqrt(1 - bar) * (x - Math.sqrt(bar) * mean)) / (bar * std ** 2 + 1 - bar);
      });
      // Standard error: at most 1 / sqrt(effective sample size), which stays above 5000 here.
      expectClose(noise, expected, 0.045);
      expect(clippedShare.dataSync()[0]).toBe(0);
    }
  });
});

describe('RSSM on a box, one dimension: Q = -(a - 0.5)^2 / 0.18, noised 0.5 at 0.7 deviations', () => {
  const noisedAt = (bar: number) => Math.sqrt(bar) * 0.5 + 0.7 * Math.sqrt(1 - bar);

  /** Posterior mean of the clean value, restricted to the box, by the midpoint rule. */
  function exactClean(bar: number): number {
    const density = (a: number) => {
      const residual = (noisedAt(bar) - Math.sqrt(bar) * a) / Math.sqrt(1 - bar);
      return Math.exp(-((a - 0.5) ** 2) / 0.18 - residual ** 2 / 2);
    };
    const points = Array.from({ length: 40_000 }, (_, i) => -1 + (i + 0.5) / 20_000);
    const mass = points.reduce((sum, a) => sum + density(a), 0);
    return points.reduce((sum, a) => sum + a * density(a), 0) / mass;
  }

  function estimate(schedule: NoiseSchedule, i: number, proposal: 'truncated' | 'clip') {
    const bar = schedule.alphaBars[i]!;
    const logWeight = gaussian(0.5, 0.3);
    const target = targetAt(schedule, i, [noisedAt(bar)], 20_000, { proposal, logWeight });
    const noise = target.noise.dataSync()[0]!;
    return { noise, clean: (noisedAt(bar) - Math.sqrt(1 - bar) * noise) / Math.sqrt(bar), target };
  }

  it.each([
    ['linear x 0.8', linear],
    ['cosine', cosine],
  ] as const)('%s, truncated: equals quadrature at every level', (_, schedule) => {
    for (let i = 1; i < 20; i += 3) {
      const bar = schedule.alphaBars[i]!;
      const exact = exactClean(bar);
      // In noise units the standard error is below 0.007 everywhere (20 000 draws).
      expect(Math.abs(estimate(schedule, i, 'truncated').clean - exact) * Math.sqrt(bar)).toBeLessThan(0.02);
    }
  });

  it('clip: pushes the interior optimum to the wall, by the published amounts', () => {
    // At steps t = 2, 4, 6, 20 (linear) and 2, 6, 9, 11 (cosine) the estimate is beyond the wall from the first "1" on.
    const published: [NoiseSchedule, number, number][] = [
      [linear, 2, 0.6],
      [linear, 4, 0.74],
      [linear, 6, 1],
      [linear, 9, 1],
      [cosine, 2, 0.59],
      [cosine, 6, 0.72],
      [cosine, 9, 0.96],
      [cosine, 11, 1],
    ];
    for (const [schedule, t, expected] of published) {
      const clean = Math.min(Math.max(estimate(schedule, t - 1, 'clip').clean, -1), 1);
      expect(Math.abs(clean - expected), `t = ${t}`).toBeLessThan(0.02);
    }
    expect(estimate(linear, 19, 'clip').noise).toBeCloseTo(-0.41, 1);
    expect(estimate(linear, 19, 'truncated').noise).toBeCloseTo(0.7, 2);
    expect(estimate(linear, 19, 'clip').target.clippedShare.dataSync()[0]).toBeGreaterThan(0.99);
  });
});

describe('the single-row loss', () => {
  const [rows, size, count] = [5, 2, 64];
  const rng = Rng.fromSeed(3);
  const inputs = {
    noised: tf.tensor2d(rng.normals(rows * size), [rows, size]),
    step: tf.tensor1d([0, 3, 7, 12, 19]),
    noise: tf.tensor3d(rng.normals(rows * count * size), [rows, size, count]),
  };
  const kernel = tf.variable(tf.tensor2d(rng.normals(size * size), [size, size]));
  const predict = (x: tf.Tensor2D) => tf.tanh(tf.matMul(x, kernel)) as tf.Tensor2D;
  const logWeight = gaussian(0.2, 0.5);
  const options = { schedule: cosine, logWeight, proposal: 'clip' } as const;

  /** The loss with one network row for every reverse sample, as the released code (softmax) and the paper (raw) have it. */
  function manyRows(weights: 'softmax' | 'raw'): tf.Scalar {
    const level = (power: 0 | 1) =>
      tf.tensor3d(
        [0, 3, 7, 12, 19].map((i) => Math.sqrt(power ? cosine.alphaBars[i]! : 1 - cosine.alphaBars[i]!)),
        [rows, 1, 1],
      );
    const samples = tf.transpose(inputs.noise, [0, 2, 1]);
    const clean = tf.div(tf.sub(tf.expandDims(inputs.noised, 1), tf.mul(level(0), samples)), level(1));
    const box = tf.reshape(tf.clipByValue(clean, -1, 1), [rows * count, size]) as tf.Tensor2D;
    const logWeights = tf.reshape(logWeight(box), [rows, count]);
    const w = weights === 'softmax' ? tf.softmax(logWeights) : tf.exp(logWeights);
    const error = tf.square(tf.sub(tf.expandDims(predict(inputs.noised), 1), samples));
    return tf.mean(tf.mul(error, tf.expandDims(w, 2)));
  }

  it.each([
    ['softmax', count],
    ['raw', 1],
  ] as const)('%s: the gradient of one row a point is that of one row a sample times %i (1e-5)', (weights, factor) => {
    const single = lossAndGradients({ kernel }, () => rssmLoss(predict, inputs, { ...options, weights }));
    const many = lossAndGradients({ kernel }, () => ({ loss: manyRows(weights) }));
    expectClose(single.gradients.kernel!, tf.mul(many.gradients.kernel!, factor).dataSync(), 1e-5);
  });

  it('reports effective sample sizes: 58.6, 27.8, 4.4 of 64 for exponents with deviations 0.3, 1, 3', () => {
    const points = 2000;
    const spread = Rng.fromSeed(5).normals(points * 64);
    for (const [std, expected] of [
      [0.3, 58.6],
      [1, 27.8],
      [3, 4.4],
    ] as const) {
      const { effectiveSampleSize } = reverseSamplingTarget(
        {
          noised: tf.zeros([points, 1]),
          step: tf.zeros([points]),
          noise: tf.zeros([points, 1, 64]),
        },
        { schedule: cosine, proposal: 'clip', logWeight: () => tf.mul(tf.tensor1d(spread), std) },
      );
      expect(Math.abs(effectiveSampleSize.dataSync()[0]! / expected - 1)).toBeLessThan(0.02);
    }
  });

  it('survives log weights that underflow or overflow the exponential', () => {
    for (const shift of [-500, 500]) {
      const { noise } = reverseSamplingTarget(inputs, { ...options, logWeight: (x) => tf.add(logWeight(x), shift) });
      expectClose(noise, reverseSamplingTarget(inputs, options).noise.dataSync(), 1e-4);
    }
  });

  it('compiled is eager, both proposals (1e-4)', async () => {
    const uniform = tf.tensor3d(Rng.fromSeed(9).uniforms(rows * count * size), [rows, size, count]);
    for (const [proposal, noise] of [
      ['truncated', uniform],
      ['clip', inputs.noise],
    ] as const) {
      const run = (noised: tf.Tensor2D, step: tf.Tensor1D, noise: tf.Tensor3D) => {
        const target = reverseSamplingTarget({ noised, step, noise }, { ...options, proposal });
        return [target.noise, target.weights, target.effectiveSampleSize, target.clippedShare];
      };
      const compiled = compile(run, { outputs: 'arrays' });
      const got = await compiled(inputs.noised, inputs.step, noise);
      run(inputs.noised, inputs.step, noise).forEach((expected, i) => {
        expectClose((got[i] as { data: Float32Array }).data, expected.dataSync(), i === 2 ? 2e-3 : 1e-4);
      });
      compiled.dispose();
    }
  });

  it('keeps no tensors and says what does not fit', () => {
    const before = tf.memory().numTensors;
    tf.tidy(() => void rssmLoss(predict, inputs, options));
    expect(tf.memory().numTensors).toBe(before);
    expect(() => rssmLoss(predict, { ...inputs, noise: tf.zeros([rows, 3, count]) }, options)).toThrow(ShapeError);
    expect(() => rssmLoss(predict, inputs, { ...options, proposal: 'cut' as 'clip' })).toThrow(ArgumentError);
  });
});

it('denoisingScoreMatchingLoss averages rows with their weights', () => {
  const predicted = tf.tensor2d([
    [1, 2],
    [3, 4],
  ]);
  expectClose(denoisingScoreMatchingLoss(predicted, tf.zeros([2, 2])), [(2.5 + 12.5) / 2], 1e-6);
  expectClose(
    denoisingScoreMatchingLoss(predicted, tf.zeros([2, 2]), tf.tensor1d([2, 0.4])),
    [(2 * 2.5 + 0.4 * 12.5) / 2],
    1e-6,
  );
});
