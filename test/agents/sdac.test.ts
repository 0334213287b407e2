import * as tf from '@tensorflow/tfjs-core';
import {
  cosineSchedule,
  DdpmSampler,
  type DiffusionStep,
  encodeOnnx,
  linearDecay,
  type NoiseSchedule,
  Rng,
  SdacAgent,
  type StepNetwork,
  sdacPresets,
  TimeConditionedMlp,
} from 'diffrl';
import { expect, it } from 'vitest';
import { small, smallNetwork } from './denoisingFixtures.js';
import { env, transitions } from './fixtures.js';

it('reports effective sample size, clipped share and temperature', async () => {
  const agent = await SdacAgent.create({ ...small, reverseSamples: 5, proposal: 'clip' });
  agent.observe(transitions(0), null);
  const metrics = await agent.learn();
  expect(metrics.effectiveSampleSize).toBeGreaterThan(1);
  expect(metrics.effectiveSampleSize).toBeLessThanOrEqual(5);
  expect(metrics.clippedShare).toBeGreaterThan(0.2);
  expect(metrics.temperature).toBeCloseTo(5, 6);
  expect(Object.keys(await agent.learn())).not.toContain('policyLoss');
});

/** The noise that leads to points `x`, one dimension, from exp(-slope |a|) on [-1, 1]: by the midpoint rule. */
function exactNoise(schedule: NoiseSchedule, i: number, x: number, slope: number): number {
  const kept = schedule.alphaBars[i]!;
  let [mass, total] = [0, 0];
  for (let a = -0.995; a < 1; a += 0.01) {
    const noise = (x - Math.sqrt(kept) * a) / Math.sqrt(1 - kept);
    const weight = Math.exp(-slope * Math.abs(a) - noise ** 2 / 2);
    mass += weight;
    total += weight * noise;
  }
  return total / mass;
}

it('tends to the Boltzmann distribution of its critics, not only to their maximum', async () => {
  // Fixed critics: an action's value is minus the size of its first entry; at temperature 0.5 that is exp(-2 |a|).
  const schedule = cosineSchedule({ steps: 8 });
  const agent = await SdacAgent.create({
    ...small,
    diffusion: {
      schedule,
      network: (rng, sizes) =>
        new TimeConditionedMlp(rng, { ...sizes, hidden: [64, 64], timeSize: 16, lastKernel: 'normal' }),
    },
    batchSize: 128,
    particles: 1,
    targetParticles: 1,
    reverseSamples: 32,
    values: 'raw',
    valueScale: 1,
    explorationNoise: 0,
    policyDelay: 1,
    criticLearningRate: 0,
    policyLearningRate: linearDecay({ from: 3e-3, to: 0, over: 400 }),
    temperature: { initial: 0.5, learningRate: 0 },
    criticHidden: [2],
    compile: true,
  });
  for (const head of ['head0', 'head1']) {
    const kernel = [0, 0, 0, 0, 0, 0, 1, -1, 0, 0];
    (agent.critic.variables[`${head}/kernel0`] as tf.Variable).assign(tf.tensor2d(kernel, [5, 2]));
    (agent.critic.variables[`${head}/kernel1`] as tf.Variable).assign(tf.tensor2d([-1, -1], [2, 1]));
  }
  agent.observe(transitions(0, 64), null);
  for (let i = 0; i < 400; i++) await agent.learn();

  const rows = 2000;
  const noise = tf.tensor3d(Rng.fromSeed(1).normals(8 * rows * 2), [8, rows, 2]);
  const sizes = (actions: tf.Tensor2D) => tf.mean(tf.abs(actions), 0).dataSync();
  const learned = sizes(agent.sampler.actions(tf.tensor2d(Rng.fromSeed(2).normals(3 * rows), [rows, 3]), noise));
  // What the same chain makes of the same noise with the exact scores: a chain of few steps is too narrow.
  const predict = (x: tf.Tensor2D, i: DiffusionStep) =>
    tf.tensor2d(
      x.dataSync().map((value, n) => exactNoise(schedule, i as number, value, n % 2 ? 0 : 2)),
      [rows, 2],
    );
  const network: StepNetwork = { variables: {}, bind: () => predict, dispose: () => undefined };
  const exact = new DdpmSampler({ schedule, network: () => network }).build(Rng.fromSeed(0), {
    observationSize: 3,
    actionSize: 2,
  });
  const expected = sizes(exact.actions(tf.zeros([rows, 3]), noise));
  expect(Math.abs(learned[0]! - expected[0]!)).toBeLessThan(0.05);
  expect(Math.abs(learned[1]! - expected[1]!)).toBeLessThan(0.05);
  expect(expected[1]! - expected[0]!).toBeGreaterThan(0.15);
  agent.dispose();
}, 180_000);

it('weighs normalised values alike at any scale of the critics, raw ones not', async () => {
  const sampleSize = async (values: 'normalised' | 'raw', factor: number) => {
    const agent = await SdacAgent.create({ ...small, reverseSamples: 32, values });
    for (const head of ['head0', 'head1']) {
      const last = agent.critic.variables[`${head}/kernel2`] as tf.Variable;
      last.assign(tf.mul(last, factor));
    }
    agent.observe(transitions(0), null);
    return (await agent.learn()).effectiveSampleSize!;
  };
  const normalised = await sampleSize('normalised', 1);
  // Exponents of deviation 5 / 5 = 1 within a state, as at the start of training: about 14 of 32.
  expect(normalised).toBeGreaterThan(10);
  expect(normalised).toBeLessThan(28);
  expect(await sampleSize('normalised', 100)).toBeCloseTo(normalised, 2);
  expect(await sampleSize('raw', 100)).toBeLessThan((await sampleSize('raw', 1)) / 2);
});

it('exports its policy', async () => {
  expect((await encodeOnnx(await SdacAgent.create(small))).length).toBeGreaterThan(1000);
});

it('the preset has the published settings and makes finite updates', async () => {
  const { diffusion, ...released } = sdacPresets.released;
  const network = { ...diffusion, network: smallNetwork };
  const agent = await SdacAgent.create({ env, ...released, diffusion: network, batchSize: 2, compile: false });
  expect([agent.options.particles, agent.options.targetParticles, agent.warmupSteps]).toEqual([32, 32, 30_000]);
  expect([agent.sampler.startStd, agent.sampler.schedule.steps]).toEqual([0.5, 20]);
  expect(agent.sampler.schedule.betas[19]).toBeCloseTo(0.7992, 10);
  agent.observe(transitions(0), null);
  expect(Object.values(await agent.learn()).every(Number.isFinite)).toBe(true);
  agent.dispose();
});
