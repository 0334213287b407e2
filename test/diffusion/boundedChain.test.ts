import * as tf from '@tensorflow/tfjs-core';
import {
  ArgumentError,
  type DiffusionSampler,
  EulerMaruyamaSampler,
  lossAndGradients,
  OrnsteinUhlenbeckSampler,
  Rng,
  TimeConditionedMlp,
} from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gated } from '../../src/networks/gated.js';

const sizes = { observationSize: 2, actionSize: 3 };
const priorStd = 1.5;
const build = (options: object, Kind: typeof EulerMaruyamaSampler | typeof OrnsteinUhlenbeckSampler) =>
  new Kind({ steps: 6, priorStd, ...options }).build(Rng.fromSeed(1), sizes) as DiffusionSampler;
const largest = (x: tf.Tensor) => tf.max(tf.abs(x)).dataSync()[0]!;

describe('maxStepSize', () => {
  it.each([EulerMaruyamaSampler, OrnsteinUhlenbeckSampler])(
    'keeps every step of %o below it and the noising kernels contracting, whatever was learned',
    (Kind) => {
      const sampler = build({ maxStepSize: priorStd ** 2, learnDiffusion: 'perStep' }, Kind);
      const raw = fc.float({ min: -100, max: 100, noNaN: true });
      const ones = tf.ones<tf.Rank.R2>([1, 3]);
      fc.assert(
        fc.property(
          fc.array(raw, { minLength: 6, maxLength: 6 }),
          fc.array(raw, { minLength: 3, maxLength: 3 }),
          (a, b) =>
            tf.tidy(() => {
              sampler.variables.stepSize!.assign(tf.tensor1d(a));
              sampler.variables.friction!.assign(tf.tensor1d(b));
              const kernels = sampler.bind(tf.zeros([1, 2]));
              for (let k = 0; k < 6; k++) {
                expect(largest(kernels.std(k))).toBeLessThanOrEqual(Math.sqrt(2) * priorStd * (1 + 1e-6));
                const decay = [...kernels.backwardMean(ones, k).dataSync()];
                expect(Math.min(...decay)).toBeGreaterThanOrEqual(0);
                expect(Math.max(...decay)).toBeLessThanOrEqual(1);
              }
            }),
        ),
        { numRuns: 50 },
      );
    },
  );

  it('leaves steps far below it as they are (1 % at a tenth)', () => {
    const [free, bounded] = [{}, { maxStepSize: 1 }].map((options) => build(options, EulerMaruyamaSampler));
    const std = (sampler: DiffusionSampler) =>
      sampler
        .bind(tf.zeros([1, 2]))
        .std(0)
        .dataSync()[0]!;
    expect(std(bounded!) / std(free!)).toBeLessThan(1);
    expect(std(bounded!) / std(free!)).toBeGreaterThan(0.99);
  });
});

describe('gatedControl', () => {
  const limit = 4;
  const options = { gatedControl: limit, maxStepSize: priorStd ** 2 };

  it.each([EulerMaruyamaSampler, OrnsteinUhlenbeckSampler])(
    'keeps the chain of %o within max(|x|, sigma^2 limit), whatever was learned',
    (Kind) => {
      const sampler = build(options, Kind);
      const bound = priorStd ** 2 * limit;
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 1000 }), fc.constantFrom(0.1, 1, 10), (seed, size) =>
          tf.tidy(() => {
            const rng = Rng.fromSeed(seed);
            for (const variable of Object.values(sampler.variables)) {
              variable.assign(tf.tensor(rng.normals(variable.size, 0, size), variable.shape));
            }
            const kernels = sampler.bind(tf.tensor2d(rng.normals(8), [4, 2]));
            let x = tf.tensor2d(rng.normals(12, 0, 20), [4, 3]);
            for (let k = 0; k < 6; k++) {
              const next = kernels.forwardMean(x, k);
              expect(largest(next)).toBeLessThanOrEqual(Math.max(largest(x), bound) * (1 + 1e-5));
              x = next;
            }
          }),
        ),
        { numRuns: 15 },
      );
    },
  );

  it('starts at a control of 0, and learns both candidate and gate', () => {
    const sampler = build(options, EulerMaruyamaSampler);
    const kernels = sampler.bind(tf.zeros([1, 2]));
    const x = tf.ones<tf.Rank.R2>([1, 3]);
    expect(largest(tf.sub(kernels.forwardMean(x, 0), kernels.backwardMean(x, 0)))).toBeLessThan(1e-5);
    sampler.variables['control/trunk/bias3']!.assign(tf.ones([6]));
    const { gradients } = lossAndGradients(sampler.variables, () => ({
      loss: tf.sum(sampler.bind(tf.zeros([1, 2])).forwardMean(x, 0)) as tf.Scalar,
    }));
    expect(Math.min(...gradients['control/trunk/bias3']!.dataSync())).toBeGreaterThan(1e-3);
  });

  it('keeps the gradient through a chain of 64 steps small where a free control of as large weights lets it grow', () => {
    const sensitivity = (gatedControl?: number) => {
      const sampler = build({ steps: 64, stepSize: 1, gatedControl }, EulerMaruyamaSampler);
      const rng = Rng.fromSeed(3);
      for (const [name, variable] of Object.entries(sampler.variables)) {
        if (name.endsWith('kernel3')) variable.assign(tf.tensor(rng.normals(variable.size, 0, 2), variable.shape));
      }
      const kernels = sampler.bind(tf.zeros([1, 2]));
      const end = (start: tf.Tensor) => {
        let x = start as tf.Tensor2D;
        for (let k = 0; k < 64; k++) x = kernels.forwardMean(x, k);
        return tf.sum(x);
      };
      return largest(tf.grad(end)(tf.ones([1, 3])));
    };
    expect(sensitivity()).toBeGreaterThan(10);
    expect(sensitivity(limit)).toBeLessThan(0.1);
  });

  it('says what does not fit', () => {
    const network = () => new TimeConditionedMlp(Rng.fromSeed(0), { ...sizes, hidden: [8] });
    expect(() => new EulerMaruyamaSampler({ gatedControl: 0 })).toThrow('gatedControl must be a number > 0, got 0.');
    expect(() => new EulerMaruyamaSampler({ gatedControl: 1, network })).toThrow(ArgumentError);
    const bound = gated(network(), 1).bind(tf.zeros([1, 2]), 4);
    expect(() => bound(tf.zeros([1, 3]), 0)).toThrow(
      "gated: network must have 6 outputs, twice the action's size, got 3.",
    );
  });
});
