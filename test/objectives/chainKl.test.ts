import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, type KlMode, lossAndGradients, type Moments, stepKl, trustRegionLoss } from 'diffrl';
import { describe, expect, it } from 'vitest';

const moments = (mean: number[][], std: number[][]): Moments => ({ mean: tf.tensor2d(mean), std: tf.tensor2d(std) });

describe('stepKl', () => {
  it('is 0 between equals and the textbook number otherwise (1e-6)', () => {
    const old = moments(
      [
        [1, 2],
        [0, -1],
      ],
      [
        [0.5, 1],
        [2, 0.1],
      ],
    );
    expect([...stepKl(old, old).dataSync()]).toEqual([0, 0]);
    const other = moments(
      [
        [1.5, 2],
        [0, -1],
      ],
      [
        [1, 1],
        [2, 0.2],
      ],
    );
    const expected = [Math.log(2) + (0.25 + 0.25) / 2 - 0.5, Math.log(2) + 0.01 / 0.08 - 0.5];
    stepKl(old, other)
      .dataSync()
      .forEach((kl, i) => expect(kl).toBeCloseTo(expected[i]!, 6));
  });

  it('of a chain does not depend on K for the same change of the control, a step does like 1 / K', () => {
    const chainKl = (steps: number) => {
      const eta = 2 / steps;
      const std = tf.fill([steps, 1], Math.sqrt(2 * eta)) as tf.Tensor2D;
      const [zero, moved] = [tf.zeros([steps, 1]), tf.fill([steps, 1], 0.3 * eta)] as tf.Tensor2D[];
      return tf.sum(stepKl({ mean: zero!, std }, { mean: moved!, std })).dataSync()[0]!;
    };
    expect(chainKl(32)).toBeCloseTo(chainKl(1), 5);
    expect(chainKl(1)).toBeCloseTo((2 * 0.3 ** 2) / 4, 5);
  });
});

describe('trustRegionLoss', () => {
  const loss = tf.variable(tf.tensor1d([1, 2]));
  const kl = tf.variable(tf.tensor1d([0.01, 0.5]));
  const run = (mode: KlMode) => {
    const { results, gradients } = lossAndGradients({ loss, kl }, () => ({
      loss: trustRegionLoss(tf.clone(loss) as tf.Tensor1D, tf.clone(kl) as tf.Tensor1D, {
        mode,
        bound: 0.02,
        multiplier: 3,
      }),
    }));
    return [results.loss, gradients.loss!, gradients.kl!].map((tensor) => [...tensor.dataSync()]);
  };

  it.each([
    ['sum', 1.5 + (3 * 0.51) / 2, [0.5, 0.5], [1.5, 1.5]],
    ['switch', (1 + 3 * 0.5) / 2, [0.5, 0], [0, 1.5]],
  ] as const)('%s', (mode, value, byLoss, byKl) => {
    const [got, gotByLoss, gotByKl] = run(mode);
    expect(got![0]).toBeCloseTo(value, 6);
    byLoss.forEach((gradient, i) => expect(gotByLoss![i]).toBeCloseTo(gradient, 6));
    byKl.forEach((gradient, i) => expect(gotByKl![i]).toBeCloseTo(gradient, 6));
  });

  it('refuses a bound of 0', () => {
    const [a, b] = [tf.zeros([1]), tf.zeros([1])] as tf.Tensor1D[];
    expect(() => trustRegionLoss(a!, b!, { mode: 'sum', bound: 0, multiplier: 1 })).toThrow(ArgumentError);
  });
});
