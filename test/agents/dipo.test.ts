import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, DipoAgent, prioritizedReplay, ReplayBuffer, Rng, type TwinCritic } from 'diffrl';
import { expect, it } from 'vitest';
import { ActionScale } from '../../src/spaces/actionScale.js';
import { expectClose } from '../close.js';
import { env, transitions } from './fixtures.js';

const [ROWS, STEPS, RATE, NORM] = [6, 5, 0.03, 0.02];

const tiny = {
  batchSize: ROWS,
  compile: false,
  criticHidden: [8],
  policyHidden: [8],
  diffusionSteps: 3,
  warmupSteps: 0,
};

function halves(stored: Float32Array): [taken: number[], moving: number[]] {
  const half = (which: number) => Array.from(stored).filter((_, i) => Math.floor(i / 2) % 2 === which);
  return [half(0), half(1)];
}

it('one update: second actions go up the smaller value by Adam, are put back, and are what is denoised (1e-4)', async () => {
  const options = { actionSteps: STEPS, actionLearningRate: RATE, actionGradientNorm: NORM, criticLearningRate: 0 };
  const agent = await DipoAgent.create({ ...tiny, ...options, env, seed: 1 });
  const data = transitions(0, ROWS);
  agent.observe(data, await agent.act(data.observations));
  const replay = agent.replay as ReplayBuffer;
  const before = replay.at(Array.from({ length: ROWS }, (_, i) => i));
  const [taken, moving] = halves(before.actions);
  expect(moving).toEqual(taken);

  const { critic } = agent as unknown as { critic: TwinCritic };
  const seen = tf.tensor2d(before.observations, [ROWS, 3]);
  const slopeAt = (x: number[]) => {
    const slope = tf.grad((a) => tf.sum(tf.minimum(...critic.apply(seen, a as tf.Tensor2D))))(
      tf.tensor2d(x, [ROWS, 2]),
    );
    const given = Array.from(slope.dataSync());
    const norm = Math.hypot(...given);
    return given.map((g) => g * Math.min(1, (2 * NORM) / norm));
  };
  let x = [...moving];
  const [m, v] = [x.map(() => 0), x.map(() => 0)];
  for (let step = 1; step <= STEPS; step++) {
    const slope = slopeAt(x);
    x = x.map((at, i) => {
      m[i] = 0.9 * m[i]! + 0.1 * slope[i]!;
      v[i] = 0.999 * v[i]! + 0.001 * slope[i]! ** 2;
      const change = (RATE * m[i]!) / (1 - 0.9 ** step) / (Math.sqrt(v[i]! / (1 - 0.999 ** step)) + 1e-5);
      return Math.min(1, Math.max(-1, at + change));
    });
  }

  const noise = {
    nextNoise: { data: new Float32Array(3 * ROWS * 2), shape: [3, ROWS, 2] },
    forwardNoise: { data: Float32Array.from({ length: ROWS * 2 }, (_, i) => Math.sin(i)), shape: [ROWS, 2] },
    step: { data: Float32Array.of(0, 1, 2, 0, 1, 2), shape: [ROWS] },
  };
  const { alphaBars } = agent.sampler.schedule;
  const levels = Array.from(noise.step.data, (step) => alphaBars[step]!);
  const noised = x.map((at, i) => {
    const kept = levels[Math.floor(i / 2)]!;
    return Math.sqrt(kept) * at + Math.sqrt(1 - kept) * noise.forwardNoise.data[i]!;
  });
  const predicted = agent.sampler.predictNoise(tf.tensor2d(noised, [ROWS, 2]), seen, tf.tensor1d(noise.step.data));
  const errors = Array.from(predicted.dataSync(), (e, i) => (e - noise.forwardNoise.data[i]!) ** 2);

  const { policyLoss } = await agent.learn(before, noise);
  expect(policyLoss).toBeCloseTo(errors.reduce((a, b) => a + b) / errors.length, 4);
  const after = halves(replay.at(before.indices!).actions);
  expect(after[0]).toEqual(taken);
  after[1].forEach((value, i) => void expect(value).toBeCloseTo(x[i]!, 4));
  expect(Math.max(...x.map((value, i) => Math.abs(value - moving[i]!)))).toBeGreaterThan(0.05);
  agent.dispose();
});

it('moves second actions with prioritised replay and returns of n steps, and says what a replay lacks', async () => {
  const agent = await DipoAgent.create({ ...tiny, env, replay: prioritizedReplay(), nStep: 2, seed: 1 });
  const data = transitions(0, ROWS);
  for (let i = 0; i < 2; i++) agent.observe({ ...data, terminated: new Uint8Array(ROWS).fill(1) });
  await agent.update();
  const [taken, moving] = halves((await agent.state())['replay/replay/buffer/rows0/actions']!.data as Float32Array);
  expect(moving).not.toEqual(taken);
  agent.dispose();

  const bare = (sizes: ConstructorParameters<typeof ReplayBuffer>[0]) =>
    Object.assign(new ReplayBuffer(sizes), { rewriteActions: undefined });
  const created = DipoAgent.create({ ...tiny, env, replay: bare });
  await expect(created).rejects.toThrow(ArgumentError);
  await expect(created).rejects.toThrow(/rewriteActions/);
});

it('without exploring draws the start alone, acting as exported (1e-6); exploring draws every step', async () => {
  const agent = await DipoAgent.create({ ...tiny, env, evaluationParticles: 1, seed: 1 });
  const seen = Float32Array.of(0.3, -0.5, 1);
  const observation = tf.tensor2d(seen, [1, 3]);
  const drawn = Rng.fromSeed(5).normals(6);
  const noise = (start: Float32Array, steps: Float32Array) => tf.tensor3d([...start, ...steps], [3, 1, 2]);
  const [start, steps] = [drawn.slice(0, 2), drawn.slice(2)];
  const still = agent.sampler.actions(observation, noise(start, new Float32Array(4))).dataSync();
  const { actions } = await agent.act(seen, { explore: false, noise: [Rng.fromSeed(5)] });
  expectClose(actions, [...new ActionScale(env.actionSpace).toSpace(still as Float32Array)], 1e-6);
  const { program } = agent.policyGraph(1);
  expectClose(program({ observation, noise: noise(start, steps) }).action!, [...still], 1e-6);
  expect(agent.sampler.actions(observation, noise(start, steps)).dataSync()).not.toEqual(still);
  const exploring = [await agent.act(seen), await agent.act(seen)];
  expect(exploring[0]!.actions).not.toEqual(exploring[1]!.actions);
  agent.dispose();
});
