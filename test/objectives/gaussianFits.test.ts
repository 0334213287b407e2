import * as tf from '@tensorflow/tfjs-core';
import { Adam, type Divergence, forwardKl, GaussianSampler, lossAndGradients, Rng, reverseKl } from 'diffrl';
import { expect, it } from 'vitest';

/** Log-density, in the squashed action, of .5 N(-1.5, .3^2) + .5 N(1.5, .3^2) before the squash. */
function logTarget(action: tf.Tensor2D): tf.Tensor1D {
  const x = tf.atanh(action);
  const mode = (centre: number) => tf.mul(tf.square(tf.div(tf.sub(x, centre), 0.3)), -0.5);
  const logMixture = tf.logSumExp(tf.concat([mode(-1.5), mode(1.5)], 1), 1);
  const constant = Math.log(0.5 / (0.3 * Math.sqrt(2 * Math.PI)));
  const logDet = tf.log(tf.sub(1, tf.square(tf.reshape(action, [-1]))));
  return tf.sub(tf.add(logMixture, constant), logDet);
}

/** Fits a Gaussian; its moments before the squash and the last losses' mean. */
function fit(divergence: Divergence, updates: number, start: number) {
  const sampler = new GaussianSampler({ hidden: [], divergence });
  sampler.build(Rng.fromSeed(0), { observationSize: 1, actionSize: 1 });
  const bias = sampler.variables.bias0!;
  bias.assign(tf.tensor1d([start, Math.log(1.2)]));
  const adam = new Adam(sampler.variables, {
    learningRate: (t) => tf.div(0.05, tf.add(1, tf.div(t, 40))) as tf.Scalar,
  });
  const rng = Rng.fromSeed(1);
  let loss = 0;
  for (let i = 0; i < updates; i++) {
    tf.tidy(() => {
      const noise = tf.tensor(rng.normals(512), [512, 1]);
      const { results, gradients } = lossAndGradients(sampler.variables, () => {
        const { trajectory } = divergence.requirements;
        const path = sampler.sample(tf.zeros([1, 1]), noise, { groupSize: 512, trajectory });
        return { loss: sampler.divergence(path, logTarget(path.action)) };
      });
      adam.apply(gradients);
      if (i >= updates - 50) loss += results.loss.dataSync()[0]! / 50;
    });
  }
  const [mean, logStd] = bias.dataSync();
  return { mean: mean!, std: Math.exp(logStd!), loss };
}

it('forward KL fits both modes: N(0, 1.53^2) (0.1, 5 standard errors of the last gradients)', () => {
  const { mean, std } = fit(forwardKl, 250, 0.3);
  expect(Math.abs(mean)).toBeLessThan(0.1);
  expect(Math.abs(std - 1.53)).toBeLessThan(0.1);
});

it('reverse KL fits one mode, at a divergence of ln 2 (0.02)', () => {
  const { mean, std, loss } = fit(reverseKl, 250, 0.8);
  expect(Math.abs(mean - 1.5)).toBeLessThan(0.03);
  expect(Math.abs(std - 0.3)).toBeLessThan(0.02);
  expect(Math.abs(loss - Math.LN2)).toBeLessThan(0.02);
});
