import * as tf from '@tensorflow/tfjs-core';
import { QvpoAgent, type ReplayBatch, Rng } from 'diffrl';
import { expect, it } from 'vitest';
import { env, transitions } from './fixtures.js';

const [ROWS, CANDIDATES, COPIES, STEPS, ENTROPY] = [6, 5, 3, 3, 0.1];

it('one update: targets, advantages, uniform actions and their weights, by hand (1e-4)', async () => {
  const agent = await QvpoAgent.create({
    ...{ env, batchSize: ROWS, compile: false, diffusionSteps: STEPS, criticHidden: [8], policyHidden: [8] },
    ...{ candidates: CANDIDATES, uniformActions: COPIES, entropyWeight: ENTROPY, targetParticles: 2 },
    criticLearningRate: 0,
  });
  const rng = Rng.fromSeed(3);
  const normals = (...shape: number[]) => ({ data: rng.normals(tf.util.sizeFromShape(shape)), shape });
  const learned = ROWS * (1 + COPIES);
  const noise = {
    nextNoise: normals(STEPS, ROWS * 2, 2),
    candidateNoise: normals(STEPS, ROWS * CANDIDATES, 2),
    uniformActions: { data: rng.uniforms(ROWS * COPIES * 2, -1, 1), shape: [ROWS * COPIES, 2] },
    forwardNoise: normals(learned, 2),
    step: { data: rng.integers(learned, STEPS), shape: [learned] },
    entropyWeight: { data: Float32Array.of(ENTROPY), shape: [] },
  };
  const batch = {
    ...transitions(0, ROWS),
    terminated: Float32Array.from({ length: ROWS }, (_, i) => i % 2),
    truncated: new Float32Array(ROWS),
  } as ReplayBatch;

  const { sampler } = agent;
  const { critic, targetCritic, average } = agent as unknown as Record<string, typeof agent.sampler> & {
    critic: { apply(o: tf.Tensor2D, a: tf.Tensor2D): tf.Tensor1D[] };
    targetCritic: { apply(o: tf.Tensor2D, a: tf.Tensor2D): tf.Tensor1D[] };
    average: typeof agent.sampler;
  };
  const pick = (x: Float32Array, row: number, width: number) => Array.from(x.subarray(row * width, (row + 1) * width));
  const smaller = (heads: tf.Tensor1D[]) => {
    const [first, second] = heads.map((head) => head.dataSync());
    return Array.from(first!, (q, i) => Math.min(q, second![i]!));
  };
  const rows = (x: number[][]) => tf.tensor2d(x);
  const observation = (i: number) => pick(batch.observations as Float32Array, i, 3);
  const next = (i: number) => pick(batch.nextObservations as Float32Array, i, 3);
  const indices = Array.from({ length: ROWS }, (_, i) => i);
  const bestOf = (actions: number[][], values: number[], count: number) =>
    indices.map((i) => {
      const own = values.slice(i * count, (i + 1) * count);
      const top = Math.max(...own);
      const mean = own.reduce((sum, q) => sum + q, 0) / count;
      return { action: actions[i * count + own.indexOf(top)]!, top, advantage: top - mean };
    });

  const nextActions = average.actions(
    rows(indices.map(next)),
    tf.tensor(noise.nextNoise.data, [STEPS, ROWS * 2, 2]),
    2,
  );
  const nextSeen = rows(indices.flatMap((i) => [next(i), next(i)]));
  const nextBest = bestOf(nextActions.arraySync(), smaller(targetCritic.apply(nextSeen, nextActions)), 2);
  const targets = indices.map((i) => batch.rewards[i]! + 0.99 * (1 - batch.terminated[i]!) * nextBest[i]!.top);
  const now = critic.apply(rows(indices.map(observation)), tf.tensor2d(batch.actions, [ROWS, 2]));
  const criticLoss = now
    .map((head) => Array.from(head.dataSync(), (q, i) => (q - targets[i]!) ** 2 / ROWS))
    .map((errors) => errors.reduce((a, b) => a + b))
    .reduce((a, b) => a + b);

  const drawn = sampler.actions(
    rows(indices.map(observation)),
    tf.tensor(noise.candidateNoise.data, [STEPS, ROWS * CANDIDATES, 2]),
    CANDIDATES,
  );
  const seen = rows(indices.flatMap((i) => Array(CANDIDATES).fill(observation(i))));
  const best = bestOf(drawn.arraySync(), smaller(critic.apply(seen, drawn)), CANDIDATES);
  const clean = [...best.map(({ action }) => action), ...indices.flatMap((i) => uniformOf(i))];
  function uniformOf(i: number): number[][] {
    return Array.from({ length: COPIES }, (_, c) => pick(noise.uniformActions.data, i * COPIES + c, 2));
  }
  const states = [...indices, ...indices.flatMap((i) => Array<number>(COPIES).fill(i))];
  const weights = states.map((i, row) => best[i]!.advantage * (row < ROWS ? 1 : ENTROPY));
  const noised = clean.map((action, row) => {
    const kept = sampler.schedule.alphaBars[noise.step.data[row]!]!;
    return action.map((a, j) => Math.sqrt(kept) * a + Math.sqrt(1 - kept) * noise.forwardNoise.data[2 * row + j]!);
  });
  const predicted = sampler
    .predictNoise(rows(noised), rows(states.map(observation)), tf.tensor1d(Array.from(noise.step.data)))
    .dataSync();
  const policyLoss = weights.reduce((sum, weight, row) => {
    const squares = [0, 1].map((j) => (predicted[2 * row + j]! - noise.forwardNoise.data[2 * row + j]!) ** 2);
    return sum + (weight * (squares[0]! + squares[1]!)) / 2 / learned;
  }, 0);

  const metrics = await agent.learn(batch, noise);
  expect(Math.abs(metrics.criticLoss! / criticLoss - 1)).toBeLessThan(1e-4);
  expect(Math.abs(metrics.policyLoss! / policyLoss - 1)).toBeLessThan(1e-4);
  agent.dispose();
});
