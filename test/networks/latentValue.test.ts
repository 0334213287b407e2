import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, LatentValue, Rng, scaleSteps, TimeConditionedMlp } from 'diffrl';
import { describe, expect, it } from 'vitest';

const sizes = { observationSize: 5, actionSize: 1 };

describe('LatentValue', () => {
  it('has independent heads that see latent, observation and step', () => {
    const value = new LatentValue(Rng.fromSeed(0), {
      ...sizes,
      diffusionSteps: 2,
      valuesActions: true,
      heads: 2,
      hidden: [8],
    });
    const rng = Rng.fromSeed(1);
    const observations = tf.tensor2d(rng.normals(20), [4, 5]);
    const x = tf.tensor2d(rng.normals(4), [4, 1]);
    const [first, second] = value.apply(observations, x, tf.tensor1d([0, 1, 2, 0]));
    expect(first!.shape).toEqual([4]);
    expect(first!.dataSync()).not.toEqual(second!.dataSync());
    const others = [
      value.apply(observations, tf.neg(x), tf.tensor1d([0, 1, 2, 0])),
      value.apply(tf.neg(observations), x, tf.tensor1d([0, 1, 2, 0])),
      value.apply(observations, x, tf.tensor1d([1, 2, 0, 1])),
    ];
    for (const [other] of others) expect(other!.dataSync()).not.toEqual(first!.dataSync());
  });

  it('refuses to have no steps or heads', () => {
    expect(() => new LatentValue(Rng.fromSeed(0), { ...sizes, diffusionSteps: 0 })).toThrow(ArgumentError);
    expect(() => new LatentValue(Rng.fromSeed(0), { ...sizes, diffusionSteps: 2, heads: 0 })).toThrow(ArgumentError);
  });
});

describe('TimeConditionedMlp, balanced', () => {
  it('gives latent, observation and step equal shares of the first layer (15 %), whatever their sizes', () => {
    const options = { ...sizes, hidden: [2000], timeSize: 64 };
    const shares = (balanced: boolean) => {
      const kernel = new TimeConditionedMlp(Rng.fromSeed(2), { ...options, balanced }).variables['trunk/kernel0']!;
      return tf.split(kernel, [1, 5, 64]).map((part) => tf.sum(tf.square(part)).dataSync()[0]! / 2000);
    };
    for (const share of shares(true)) expect(share).toBeCloseTo(1 / 3, 1);
    expect(shares(false)[0]).toBeCloseTo(1 / 70, 2);
  });
});

describe('scaleSteps', () => {
  it('scales the output of each step, in a chain and row by row, bit for bit', () => {
    const network = new TimeConditionedMlp(Rng.fromSeed(0), {
      ...sizes,
      hidden: [8],
      timeSize: 8,
      lastKernel: 'normal',
    });
    const scaled = scaleSteps(network, [1, 10, 100]);
    const observations = tf.tensor2d(Rng.fromSeed(1).normals(10), [2, 5]);
    const x = tf.tensor2d([[0.3], [-0.2]]);
    for (const [step, factor] of [1, 10, 100].entries()) {
      const plain = tf.mul(network.bind(observations, 3)(x, step), factor).dataSync();
      expect(scaled.bind(observations, 3)(x, step).dataSync()).toEqual(plain);
      expect(
        scaled
          .bind(observations, 3)(x, tf.fill([2], step))
          .dataSync(),
      ).toEqual(plain);
    }
  });
});
