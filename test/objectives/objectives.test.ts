import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, categoricalObjective, projectCategorical, scalarObjective, Temperature } from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../close.js';

const support = { min: -2, max: 2, atoms: 5 };
const distribution = [0.1, 0.2, 0.4, 0.2, 0.1];
const bellman = (reward: number, discount: number, cost: number) => ({
  rewards: tf.tensor1d([reward]),
  discounts: tf.tensor1d([discount]),
  costs: tf.tensor1d([cost]),
});

describe('projectCategorical', () => {
  it.each([
    [0.3, 0.99, 0, [0.068, 0.17, 0.342, 0.262, 0.158]],
    [0.3, 0.99, 0.25, [0.09275, 0.19475, 0.3915, 0.2125, 0.1085]],
    [0.3, 0, 0.25, [0, 0, 0.7, 0.3, 0]],
    [5, 0.99, 0, [0, 0, 0, 0, 1]],
  ])('reward %f, discount %f, cost %f matches the released code (1e-6)', (reward, discount, cost, expected) => {
    expectClose(
      projectCategorical(tf.tensor2d([distribution]), bellman(reward, discount, cost), support),
      expected,
      1e-6,
    );
  });

  it('conserves mass, and shifts the mean like the Bellman operator away from the ends', () => {
    const weight = fc.float({ min: Math.fround(0.01), max: 1, noNaN: true });
    const small = fc.float({ min: -5, max: 5, noNaN: true });
    fc.assert(
      fc.property(fc.array(weight, { minLength: 11, maxLength: 11 }), small, small, (weights, reward, cost) => {
        const total = weights.reduce((sum, w) => sum + w);
        const p = weights.map((w) => w / total);
        // Support so wide that atoms within [-10, 10] cannot reach the ends.
        const wide = { min: -100, max: 100, atoms: 201 };
        const padded = [...new Array(95).fill(0), ...p, ...new Array(95).fill(0)];
        const projected = projectCategorical(
          tf.tensor2d([padded]),
          bellman(reward, 0.9, cost),
          wide,
        ).dataSync() as Float32Array;
        const mean = (q: ArrayLike<number>) => Array.from(q).reduce((sum, mass, i) => sum + mass * (i - 100), 0);
        expect(projected.reduce((sum, mass) => sum + mass)).toBeCloseTo(1, 4);
        expect(mean(projected)).toBeCloseTo(reward + 0.9 * (mean(padded) - cost), 2);
      }),
      { numRuns: 50 },
    );
  });
});

describe('categoricalObjective', () => {
  const objective = categoricalObjective(support);
  const logits = (p: number[]) => tf.log(tf.tensor2d([p])) as tf.Tensor2D;

  it('averages both heads, and gives the loss of the released code (1e-6)', () => {
    const next: [tf.Tensor2D, tf.Tensor2D] = [logits(distribution), logits([0.05, 0.05, 0.2, 0.3, 0.4])];
    const target = objective.target(next, bellman(0.3, 0.99, 0.25));
    expectClose(target, [0.0695625, 0.122625, 0.2920625, 0.255125, 0.260625], 1e-6);
    const uniform = logits([0.2, 0.2, 0.2, 0.2, 0.2]);
    const predicted = logits([0.1, 0.2, 0.3, 0.3, 0.1]);
    expectClose(objective.loss([uniform, predicted], target), [3.2103077897], 2e-6);
    expectClose(objective.value(uniform), [0], 1e-6);
    expectClose(objective.value(predicted), [0.1], 1e-6);
  });

  it('measures the share of the target at the ends', () => {
    expectClose(
      objective.saturation!(
        tf.tensor2d([
          [0, 0, 1, 0, 0],
          [0.25, 0, 0, 0, 0.75],
        ]),
      ),
      [0.5],
      1e-7,
    );
  });

  it('agrees with scalar temporal differences in the mean, for many atoms (1e-2)', () => {
    const many = categoricalObjective({ min: -20, max: 20, atoms: 401 });
    const peaked = (value: number) =>
      tf.reshape(tf.neg(tf.square(tf.sub(tf.linspace(-20, 20, 401), value))), [1, 401]) as tf.Tensor2D;
    const target = many.target([peaked(3), peaked(5)], bellman(1, 0.9, 0.5));
    expectClose(many.value(tf.log(tf.add(target, 1e-12)) as tf.Tensor2D), [1 + 0.9 * (4 - 0.5)], 1e-2);
    const scalar = scalarObjective().target([tf.tensor2d([[3]]), tf.tensor2d([[5]])], bellman(1, 0.9, 0.5));
    expectClose(scalar, [1 + 0.9 * (4 - 0.5)], 1e-6);
  });

  it('says what is wrong with its support', () => {
    expect(() => categoricalObjective({ min: 1, max: 1 })).toThrow(ArgumentError);
    expect(() => categoricalObjective({ min: -Infinity, max: 1 })).toThrow('support.min must be a');
    expect(() => categoricalObjective({ max: 1 } as { min: number; max: number })).toThrow('support.min must be a');
    expect(() => categoricalObjective({ min: 0, max: 1, atoms: 1 })).toThrow('support.atoms must be an integer >= 2');
  });
});

it('scalarObjective: half the squared error of each head', () => {
  const loss = scalarObjective().loss([tf.tensor2d([[1], [3]]), tf.tensor2d([[2], [2]])], tf.tensor2d([[2], [2]]));
  expectClose(loss, [0.5], 1e-7);
});

describe('Temperature', () => {
  it.each([
    [2.86, -0.001],
    [4, 0],
    [5, 0.001],
  ])('run cost of %f a dimension moves log alpha by %f (1e-7)', (cost, change) => {
    const temperature = new Temperature();
    tf.tidy(() => temperature.step(tf.scalar(38 * cost), 38 * 4));
    expectClose(temperature.variables.log!, [change], 1e-7);
  });

  it('stays when fixed', () => {
    const temperature = new Temperature({ initial: 0.2, learningRate: 0 });
    tf.tidy(() => temperature.step(tf.scalar(100), 4));
    expectClose(temperature.value(), [0.2], 1e-7);
  });
});
