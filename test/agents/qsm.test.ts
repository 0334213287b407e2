import * as tf from '@tensorflow/tfjs-core';
import { addNoise, noiseLevels, QsmAgent, type ReplayBatch, variancePreservingSchedule } from 'diffrl';
import { expect, it } from 'vitest';
import { small } from './denoisingFixtures.js';
import { env, transitions } from './fixtures.js';

const ROWS = 8;
const SCALE = 3;

it('regresses noise on the slope of the critics at noised actions of replay (slopes by differences, 1 %)', async () => {
  const agent = await QsmAgent.create({ ...small, env, valueScale: SCALE, targetParticles: 1 });
  const ends = { terminated: new Float32Array(ROWS), truncated: new Float32Array(ROWS) };
  const batch = { ...transitions(0, ROWS), ...ends } as ReplayBatch;
  const { critic, sampler } = agent;
  const noise = {
    nextNoise: { data: new Float32Array(4 * ROWS * 2), shape: [4, ROWS, 2] },
    nextExploration: { data: new Float32Array(ROWS * 2), shape: [ROWS, 2] },
    policy: {
      step: { data: Float32Array.from({ length: ROWS }, (_, i) => i % 4), shape: [ROWS] },
      forwardNoise: { data: Float32Array.from({ length: 2 * ROWS }, (_, i) => Math.sin(i)), shape: [ROWS, 2] },
    },
  };
  const observations = tf.tensor2d(batch.observations as Float32Array, [ROWS, 3]);
  const clean = tf.tensor2d(batch.actions, [ROWS, 2]);
  const step = tf.tensor1d(noise.policy.step.data);
  const noised = addNoise(
    clean,
    tf.tensor2d(noise.policy.forwardNoise.data, [ROWS, 2]),
    noiseLevels(sampler.schedule, step),
  );
  const value = (actions: tf.Tensor2D) => tf.add(...critic.apply(observations, actions)).dataSync();
  const predicted = sampler.predictNoise(noised, observations, step).dataSync();
  const H = 1e-2;
  const slopes = [0, 1].map((axis) => {
    const shift = tf.tensor2d([axis ? [0, H] : [H, 0]]);
    const [up, down] = [value(tf.add(noised, shift)), value(tf.sub(noised, shift))];
    return Array.from(up, (q, i) => (q - down[i]!) / (2 * H));
  });
  const errors = Array.from(predicted, (eps, i) => (eps + (SCALE / 2) * slopes[i % 2]![Math.floor(i / 2)]!) ** 2);
  const expected = errors.reduce((sum, x) => sum + x, 0) / errors.length;
  const { policyLoss, criticLoss } = await agent.learn(batch, noise);
  expect(Math.abs(policyLoss! / expected - 1)).toBeLessThan(0.01);
  expect(criticLoss).toBeGreaterThan(0);
  agent.dispose();
});

it('acts with the policy that learns, the average being as fast as it', async () => {
  const agent = await QsmAgent.create({ ...small, env });
  agent.observe(transitions(0), null);
  await agent.learn();
  const [learned, acting] = [agent.sampler.variables, agent.targetSampler.variables];
  for (const [name, variable] of Object.entries(learned)) expect(acting[name]!.dataSync()).toEqual(variable.dataSync());
  agent.dispose();
});

it('has a chain and a rate of its own, and keeps the rest of the chain where a part is given', async () => {
  const defaults = { env, criticHidden: [8], warmupSteps: 0, batchSize: 4 };
  const agent = await QsmAgent.create(defaults);
  const other = await QsmAgent.create({ ...defaults, diffusion: { steps: 7, hidden: [8] } });
  expect(agent.sampler.schedule.betas).toEqual(variancePreservingSchedule({ steps: 5 }).betas);
  expect(other.sampler.schedule.betas).toEqual(variancePreservingSchedule({ steps: 7 }).betas);
  expect(other.sampler.startStd).toBe(agent.sampler.startStd);
  expect(agent.config.policyLearningRate).toBe(3e-4);
  const schedule = variancePreservingSchedule({ steps: 3 });
  await expect(QsmAgent.create({ ...defaults, diffusion: { schedule, steps: 7 } })).rejects.toThrow(/schedule/);
});
