import * as tf from '@tensorflow/tfjs-core';
import {
  AugmentedMdp,
  AugmentedRollout,
  type ChainPolicy,
  collectInternal,
  collectWrapped,
  EulerMaruyamaSampler,
  MultiGoal,
  priorStream,
  Rng,
  runChain,
  ShapeError,
  type Variables,
} from 'diffrl';
import { describe, expect, it } from 'vitest';
import { vectorOf } from './vector.js';

function samplerPolicy(steps: number): ChainPolicy & { variables: Variables } {
  const sampler = new EulerMaruyamaSampler({ steps }).build(Rng.fromSeed(0), { observationSize: 2, actionSize: 2 });
  sampler.variables['control/trunk/kernel3']!.assign(tf.tensor2d(Rng.fromSeed(1).normals(512, 0, 0.1), [256, 2]));
  const rows = (data: Float32Array) => tf.tensor2d(data, [data.length / 2, 2]);
  return {
    steps,
    variables: sampler.variables,
    step: (observations, latents, k, noise) =>
      tf.tidy(() => {
        const count = latents.length / 2;
        const kernels = sampler.bind(rows(observations));
        const step = tf.fill([count], k) as tf.Tensor1D;
        const mean = kernels.forwardMean(rows(latents), step);
        return tf.add(mean, tf.mul(kernels.std(step), rows(noise))).dataSync() as Float32Array;
      }),
    chain: (observations, start, noise) =>
      tf.tidy(() => {
        const stepNoise = tf.split(rows(noise), steps) as tf.Tensor2D[];
        const { states } = runChain(sampler.bind(rows(observations)), rows(start), stepNoise);
        return tf.concat(states).dataSync() as Float32Array;
      }),
  };
}

describe('wrapper and internal mode', () => {
  it('leave identical records from the same seeds, across episode ends', async () => {
    const steps = 4;
    const policy = samplerPolicy(steps);
    const env = () => new MultiGoal({ maxEpisodeSteps: 3 });
    const wrapped = await collectWrapped(vectorOf([0, 1, 2].map(() => new AugmentedMdp(env(), { steps }))), policy, {
      length: 8,
      seed: 7,
      noise: Rng.fromSeed(3),
    });
    const internal = await collectInternal(vectorOf([0, 1, 2].map(env)), policy, {
      length: 8,
      seed: 7,
      noise: Rng.fromSeed(3),
      priors: [0, 1, 2].map((i) => priorStream(7 + i)),
      priorStd: 2.5,
    });
    expect(wrapped.truncated.some(Boolean)).toBe(true);
    expect(internal).toEqual(wrapped);
  });
});

describe('AugmentedRollout', () => {
  const step = (rows: number) => ({
    observations: new Float32Array(rows).fill(1),
    latents: new Float32Array(rows * 3).fill(2),
    rewards: new Float32Array(rows).fill(3),
    nextObservations: new Float32Array(rows).fill(4),
    nextLatents: new Float32Array(rows).fill(5),
    terminated: new Uint8Array(rows),
    truncated: new Uint8Array(rows).fill(1),
  });

  it('hands over what was added, once', () => {
    const rollout = new AugmentedRollout();
    for (let i = 0; i < 3; i++) rollout.add(step(2));
    const records = rollout.take();
    expect(records.latents.length).toBe(18);
    expect([...records.truncated]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(rollout.length).toBe(0);
  });

  it('is restored from its state, empty or not', () => {
    for (const count of [0, 3]) {
      const [rollout, twin] = [new AugmentedRollout(), new AugmentedRollout()];
      for (let i = 0; i < count; i++) rollout.add(step(2));
      twin.prepare(rollout.state())();
      expect(twin.length).toBe(count);
      expect(twin.take()).toEqual(rollout.take());
    }
  });

  it('refuses a step of other sizes', () => {
    const rollout = new AugmentedRollout();
    rollout.add(step(2));
    expect(() => rollout.add(step(3))).toThrow(ShapeError);
    expect(rollout.length).toBe(1);
  });
});
