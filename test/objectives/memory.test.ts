import * as tf from '@tensorflow/tfjs-core';
import {
  dmerlSampler,
  LatentValue,
  logBackward,
  logForward,
  lossAndGradients,
  ppoStepLoss,
  Rng,
  reverseKl,
  sacStepLoss,
  stepBatch,
  wpoStepLoss,
  wpoVelocity,
} from 'diffrl';
import { describe, expect, it } from 'vitest';

const ROWS = 128;
const sizes = { observationSize: 4, actionSize: 2 };

/** One actor update's gradient as a function of the diffusion steps K: the kernels run and the most bytes held at once. */
async function profileOf(steps: number, loss: 'ppo' | 'sac' | 'wpo' | 'chain') {
  const sampler = dmerlSampler({ steps, hidden: [256, 256, 256] }).build(Rng.fromSeed(0), sizes);
  const value = new LatentValue(Rng.fromSeed(1), { ...sizes, diffusionSteps: steps, valuesActions: true });
  const rng = Rng.fromSeed(2);
  const observations = tf.tensor2d(rng.normals(ROWS * 4), [ROWS, 4]);
  const draw = () => tf.tensor2d(rng.normals(ROWS * 2), [ROWS, 2]);
  const [x, noise, next] = [draw(), draw(), draw()];
  const chainNoise = tf.tensor(rng.normals((steps + 1) * ROWS * 2), sampler.noiseShape(ROWS));
  const step = tf.tensor1d(Array.from({ length: ROWS }, (_, i) => i % steps));
  const valueAt = (y: tf.Tensor2D) => value.apply(observations, y, tf.add(step, 1))[0]!;
  const zeros: tf.Tensor1D = tf.zeros([ROWS]);
  const batch = () => stepBatch(sampler, { observations, x, step }, { temperature: 0.1 });
  const losses = {
    sac: () => sacStepLoss(batch(), { noise, value: valueAt }).loss,
    wpo: () => wpoStepLoss(batch(), { noise, velocity: next }),
    ppo: () => {
      const { kernels } = batch();
      const [forward, backward] = [logForward, logBackward].map((density) => density(kernels, x, next, step));
      const densities = { logForward: forward!, logBackward: backward! };
      const old = { oldLogForward: zeros, oldLogBackward: zeros };
      return ppoStepLoss({ ...densities, ...old, advantages: zeros, temperature: 0.1, clip: 0.2 }).loss;
    },
    chain: () => {
      const path = sampler.sample(observations, chainNoise);
      return tf.reshape(reverseKl(path, tf.sum(path.action, 1)), [1]) as tf.Tensor1D;
    },
  };
  const before = tf.memory().numBytes;
  const { kernels, peakBytes } = await tf.profile(() =>
    tf.tidy(() => {
      if (loss === 'wpo') wpoVelocity(batch(), next, valueAt);
      lossAndGradients(sampler.variables, () => ({ loss: tf.mean(losses[loss]()) as tf.Scalar }));
    }),
  );
  return { kernels: kernels.length, bytes: peakBytes - before };
}

describe('an actor update, fixed batch, at K = 5, 10, 20', () => {
  it.each(['sac', 'wpo', 'ppo'] as const)('%s: as many kernels, and as many bytes up to 5 %', async (loss) => {
    const [five, ten, twenty] = [await profileOf(5, loss), await profileOf(10, loss), await profileOf(20, loss)];
    expect(ten.kernels).toBe(five.kernels);
    expect(twenty.kernels).toBe(five.kernels);
    expect(twenty.bytes / five.bytes).toBeLessThan(1.05);
  });

  it('the whole chain: kernels and bytes grow with K', async () => {
    const [five, ten, twenty] = [
      await profileOf(5, 'chain'),
      await profileOf(10, 'chain'),
      await profileOf(20, 'chain'),
    ];
    expect(ten.kernels / five.kernels).toBeGreaterThan(1.6);
    expect(twenty.bytes / ten.bytes).toBeGreaterThan(1.7);
  });
});
