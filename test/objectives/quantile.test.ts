import * as tf from '@tensorflow/tfjs-core';
import { Adam, lossAndGradients, quantileObjective, Rng } from 'diffrl';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../close.js';

describe('quantileObjective', () => {
  it('gives the loss and gradient of the definition (1e-5)', () => {
    const objective = quantileObjective({ quantiles: 3, kappa: 0.5 });
    const [heads, target] = [
      [
        [0.2, -0.4, 1.1],
        [2, 0.1, -0.3],
      ],
      [0.3, 0.9, -1.2],
    ];
    const huber = (u: number) => (Math.abs(u) <= 0.5 ? u ** 2 / 2 : 0.5 * (Math.abs(u) - 0.25));
    const byHand = (quantiles: number[]) =>
      quantiles.reduce((sum, theta, i) => {
        const level = (i + 0.5) / 3;
        const terms = target.map((y) => (Math.abs(level - (y < theta ? 1 : 0)) * huber(y - theta)) / 0.5);
        return sum + terms.reduce((a, b) => a + b) / 3;
      }, 0);
    const loss = (first: number[], second: number[]) =>
      objective.loss([tf.tensor2d([first]), tf.tensor2d([second])], tf.tensor2d([target]));
    expectClose(loss(heads[0]!, heads[1]!), [byHand(heads[0]!) + byHand(heads[1]!)], 1e-5);

    const variable = tf.variable(tf.tensor2d([heads[0]!]));
    const { gradients } = lossAndGradients({ variable }, () => ({
      loss: objective.loss([variable as tf.Tensor2D, tf.tensor2d([heads[1]!])], tf.tensor2d([target])),
    }));
    const step = 1e-4;
    const slopes = heads[0]!.map((_, i) => {
      const moved = (by: number) => byHand(heads[0]!.map((theta, j) => theta + (i === j ? by : 0)));
      return (moved(step) - moved(-step)) / (2 * step);
    });
    expectClose(gradients.variable!, slopes, 1e-3);
  });

  it('learns the quantiles of a distribution: those of a standard normal within 0.1', () => {
    const objective = quantileObjective({ quantiles: 5, kappa: 0.01 });
    const heads = { first: tf.variable(tf.zeros([1, 5])), second: tf.variable(tf.zeros([1, 5])) };
    const adam = new Adam(heads, { learningRate: (steps) => tf.div(0.1, tf.add(1, tf.mul(steps, 0.02))) as tf.Scalar });
    const rng = Rng.fromSeed(3);
    for (let i = 0; i < 200; i++) {
      tf.tidy(() => {
        const target = tf.tensor2d(rng.normals(128), [1, 128]);
        const { gradients } = lossAndGradients(heads, () => ({
          loss: objective.loss([heads.first as tf.Tensor2D, heads.second as tf.Tensor2D], target),
        }));
        adam.apply(gradients);
      });
    }
    // Of the standard normal at 0.1, 0.3, 0.5, 0.7, 0.9.
    const expected = [-1.2816, -0.5244, 0, 0.5244, 1.2816];
    expectClose(heads.first, expected, 0.1);
    expectClose(objective.value(heads.second as tf.Tensor2D), [0], 0.1);
  });

  it('moves the mean of both heads by the Bellman operator', () => {
    const target = quantileObjective({ quantiles: 2 }).target([tf.tensor2d([[1, 3]]), tf.tensor2d([[3, 5]])], {
      rewards: tf.tensor1d([10]),
      discounts: tf.tensor1d([0.5]),
      costs: tf.tensor1d([1]),
    });
    expectClose(target, [10.5, 11.5], 0);
  });

  it('says what is wrong with its options', () => {
    expect(() => quantileObjective({ quantiles: 0 })).toThrow('quantileObjective: quantiles must be an integer >= 1');
    expect(() => quantileObjective({ kappa: 0 })).toThrow('quantileObjective: kappa must be a number > 0');
  });
});
