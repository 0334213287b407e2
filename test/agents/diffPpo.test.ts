import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, DiffPpoAgent, type DiffPpoOptions, dmerlSampler, encodeOnnx, logNormal, Rng } from 'diffrl';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { noiseSource } from '../../src/agents/noiseSource.js';
import { expectClose } from '../close.js';
import {
  bandit,
  expectCompiledIsEager,
  expectGoesOn,
  playBandit,
  playStep,
  smallSampler,
  someTransitions,
  spaces,
} from './dmerlFixtures.js';

const ROWS = 8;

function create(options: Partial<DiffPpoOptions> = {}): Promise<DiffPpoAgent> {
  return DiffPpoAgent.create({
    env: spaces,
    sampler: smallSampler(),
    valueHidden: [16],
    rolloutSteps: 32,
    minibatchSize: 16,
    epochs: 2,
    compile: false,
    ...options,
  });
}

const step = (agent: DiffPpoAgent, seed: number) => playStep(agent, seed, ROWS);

describe('DiffPpoAgent', () => {
  it('learns when a rollout is full, in K times as many minibatches', async () => {
    const agent = await create({ targetChainKl: 100 });
    const due = [];
    for (let i = 0; i < 8; i++) due.push('actorLoss' in (await step(agent, i)));
    expect(due).toEqual([false, false, false, true, false, false, false, true]);
    expect(agent.updates).toBe(2 * 2 * ((32 * 3) / 16));
  });

  it.each([
    ['none', 2 * 2],
    ['subsample', 2 * 2],
  ] as const)('updateScaling %s keeps the number of gradient steps', async (updateScaling, expected) => {
    const agent = await create({ targetChainKl: 100, updateScaling });
    for (let i = 0; i < 4; i++) await step(agent, i);
    expect(agent.updates).toBe(expected);
  });

  it('starts an update at the old policy: ratios 1, no KL, centred advantages', async () => {
    const agent = await create({ epochs: 1, minibatchSize: 32, updateScaling: 'none', learningRate: 0.1 });
    let metrics = {};
    for (let i = 0; i < 4; i++) metrics = await step(agent, i);
    expect(metrics).toMatchObject({ gradientSteps: 1, clipFraction: 0 });
    const { actorLoss, chainKl } = metrics as { actorLoss: number; chainKl: number };
    expect(Math.abs(actorLoss)).toBeLessThan(1e-6);
    expect(chainKl).toBeLessThan(1e-6);
  });

  it('starts as the prior, squashed (1e-4)', async () => {
    const sampler = smallSampler();
    await create({ sampler });
    const noise = tf.tensor(Rng.fromSeed(1).normals(4 * 300 * 2), sampler.noiseShape(300));
    const path = sampler.sample(tf.zeros([300, 3]), noise);
    // A reversible chain: path by path, what it says of the end is the prior's density there.
    const atEnd = logNormal(path.states.at(-1)!, 0, sampler.priorStd);
    expect(tf.max(tf.abs(tf.sub(tf.add(path.totalCost, path.logDet), atEnd))).dataSync()[0]).toBeLessThan(1e-4);
  });

  it('stops an update that moves too far', async () => {
    const agent = await create({ learningRate: 0.05, targetChainKl: 0.01 });
    for (let i = 0; i < 3; i++) await step(agent, i);
    const { gradientSteps } = (await step(agent, 3)) as { gradientSteps: number };
    expect(gradientSteps).toBeLessThan(12);
  });

  it('learns from its own actions only', async () => {
    const agent = await create();
    expect(() => agent.observe(someTransitions(0, ROWS), null)).toThrow(ArgumentError);
    await agent.act(someTransitions(0, ROWS).observations);
    expect(() => agent.observe(someTransitions(0, 3), null)).toThrow(ArgumentError);
  });

  it.each([
    [{}],
    [{ temperature: { automatic: {} }, value: 'state', clipScaling: 'delta', discountMode: 'root' }],
    [
      {
        temperature: { anneal: { from: 0.1, to: 0, duration: 40 } },
        normaliseAdvantages: false,
        recomputeEntropy: false,
      },
    ],
    [
      {
        temperature: 0,
        normaliseObservations: false,
        scaleRewards: false,
        sampler: dmerlSampler({ learnDiffusion: 'perStep' }),
      },
    ],
  ] as Partial<DiffPpoOptions>[][])(
    'goes on bit for bit from a state saved within a rollout, and leaks nothing: %j',
    async (options) => {
      const sampler = () =>
        options!.sampler ? dmerlSampler({ learnDiffusion: 'perStep', hidden: [8] }) : smallSampler();
      const before = tf.memory().numTensors;
      const [agent, twin] = [
        await create({ ...options, sampler: sampler() }),
        await create({ ...options, sampler: sampler(), seed: 9 }),
      ];
      await expectGoesOn(agent, twin, step, 6);
      agent.dispose();
      twin.dispose();
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  it('gives the same numbers compiled (1e-4)', async () => {
    await expectCompiledIsEager(await create(), await create({ sampler: smallSampler(), compile: true }), step, 4);
  });

  it('is exported with the observation statistics of now (1e-5)', async () => {
    const agent = await create({ evaluation: 'ode' });
    for (let i = 0; i < 4; i++) await step(agent, i);
    const streams = () => [Rng.fromSeed(1), Rng.fromSeed(2)];
    const noise = noiseSource(streams())((rows) => [4, rows, 2], 2);
    const session = await ort.InferenceSession.create(await encodeOnnx(agent, { rows: 2 }));
    const observations = Rng.fromSeed(1).normals(6);
    const { action } = await session.run({
      observation: new ort.Tensor('float32', observations, [2, 3]),
      noise: new ort.Tensor('float32', noise.data as Float32Array, [4, 2, 2]),
    });
    expectClose(
      action!.data as Float32Array,
      (await agent.act(observations, { explore: false, noise: streams() })).actions,
      1e-5,
    );
  });

  it('refuses options out of range', async () => {
    await expect(create({ clip: 1.5 })).rejects.toThrow(ArgumentError);
    await expect(create({ clipScaling: () => -1 })).rejects.toThrow(ArgumentError);
    await expect(create({ updateScaling: 'epochs' as 'none' })).rejects.toThrow(ArgumentError);
    await expect(create({ temperature: -1 })).rejects.toThrow(ArgumentError);
  });

  it('learns the one-step task: from 0.5 to above 0.85', async () => {
    const agent = await DiffPpoAgent.create({
      env: bandit,
      sampler: dmerlSampler({ steps: 4, hidden: [64, 64] }),
      valueHidden: [64, 64],
      gamma: 0,
      rolloutSteps: 256,
      minibatchSize: 128,
      temperature: 0.01,
      learningRate: 1e-3,
      seed: 1,
    });
    expect(await playBandit(agent, 60, 256)).toBeGreaterThan(0.85);
    agent.dispose();
  });
});
