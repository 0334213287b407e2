/** Critics that somebody hands in, for every agent that learns from replay. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {
  type Agent,
  ArgumentError,
  broCritic,
  type CriticFactory,
  categoricalObjective,
  crossQCritic,
  Mlp,
  quantileObjective,
  type ReplayBatch,
  Rng,
  SacAgent,
  type StateDict,
  scalarObjective,
  twinCritic,
  twinHeads,
  withStep,
} from 'diffrl';
import { afterEach, describe, expect, it } from 'vitest';
import { loadAgent } from '../../src/agents/loadAgent.js';
import { env, transitions } from './fixtures.js';
import { type Learner, learners, smallLearner } from './learners.js';

const made: Agent[] = [];
afterEach(() => {
  for (const agent of made.splice(0)) agent.dispose();
});

/** The critics' network of one layer with a bend of its own. */
const sines: CriticFactory = (rng, { observationSize, actionSize, outputs }) =>
  twinHeads(
    rng,
    (own) => new Mlp(own, { inputs: observationSize + actionSize, hidden: [4], outputs, activation: tf.sin }),
  );

/** The same, which sees the step of latents where they are valued. */
const wide: CriticFactory = (rng, sizes) => {
  const net = sines(rng, sizes);
  const { diffusionSteps: steps } = sizes;
  if (!steps) return net;
  const scale = (x: tf.Tensor2D, step?: tf.Tensor1D): tf.Tensor2D =>
    tf.mul(x, tf.reshape(tf.div(tf.add(step!, 1), steps), [-1, 1]));
  return { ...net, apply: (observations, x, call) => net.apply(observations, scale(x, call?.step)) };
};

async function partsOf(agent: Agent, wanted: RegExp): Promise<StateDict> {
  return Object.fromEntries(Object.entries(await agent.state()).filter(([name]) => wanted.test(name)));
}

const critics = /^(critic|target|targetCritic)\//;

describe.each(learners)('%s', (name, Class, table) => {
  const create = async (options: object) => {
    const agent = await smallLearner([name, Class, table], options);
    made.push(agent);
    agent.observe(transitions(0), null);
    return agent;
  };

  it('learns with a network of somebody else, and target critics start as its critics', async () => {
    const agent = await create({ criticNetwork: wide });
    const [own, following] = [await partsOf(agent, /^critic\//), await partsOf(agent, /^(target|targetCritic)\//)];
    expect(Object.keys(own)).toContain('critic/head1/kernel0');
    for (const [entry, { data }] of Object.entries(following)) {
      expect(data, entry).toEqual(own[entry.replace(/^\w+/, 'critic')]!.data);
    }
    await agent.learn();
    expect(await partsOf(agent, /^critic\//)).not.toEqual(own);
  });

  it('is made again from a checkpoint with its network and objective', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
    const objective = 'critic' in table ? { critic: quantileObjective({ quantiles: 3 }) } : {};
    const agent = await create({ criticNetwork: broCritic({ width: 8, blocks: 1 }), ...objective });
    expect(agent.config.criticNetwork).toEqual({ type: 'broCritic', width: 8, blocks: 1 });
    await agent.learn();
    await agent.save(folder);
    const loaded = await loadAgent(folder, { options: { compile: false } });
    made.push(loaded);
    expect(await loaded.state()).toEqual(await agent.state());
    await rm(folder, { recursive: true });
  });

  it.runIf('critic' in table)('learns by any objective, and without where rows count nothing', async () => {
    for (const critic of [quantileObjective({ quantiles: 3 }), categoricalObjective({ min: -9, max: 9, atoms: 5 })]) {
      const agent = await create({ critic });
      const before = await partsOf(agent, critics);
      const rows = { ...(agent.replay.sample(8, Rng.fromSeed(1)) as ReplayBatch) };
      await agent.learn({ ...rows, weights: new Float32Array(8) });
      expect(
        (await partsOf(agent, /^criticAdam\/first/))['criticAdam/first/head0/kernel0']?.data.some(Boolean),
      ).not.toBe(true);
      await agent.learn();
      expect(await partsOf(agent, critics)).not.toEqual(before);
    }
  });
});

it.each(learners.filter(([name]) => ['sdac', 'dpmd', 'qsm', 'diffsac', 'diffwpo'].includes(name)))(
  '%s trains critics with running statistics in joint batches, without targets',
  async (...learner) => {
    const criticNetwork = crossQCritic({ hidden: [8], batchRenorm: { warmup: 2 } });
    const agents = [true, false].map((compile) => smallLearner(learner, { criticNetwork, compile }));
    const [compiled, eager] = (await Promise.all(agents)) as [Learner, Learner];
    made.push(compiled, eager);
    for (const agent of [compiled, eager]) {
      agent.observe(transitions(0), null);
      for (let i = 0; i < 4; i++) await agent.learn();
    }
    const [state, other] = [await compiled.state(), await eager.state()];
    expect(Object.keys(state).filter((entry) => /^target(Critic)?\//.test(entry))).toEqual([]);
    expect(Math.abs(Number(state['critic/head0/norm0/mean']!.data[0]))).toBeGreaterThan(1e-4);
    for (const [entry, { data }] of Object.entries(state)) {
      data.forEach((x, i) => {
        expect(Number(x), `${entry}[${i}]`).toBeCloseTo(Number(other[entry]!.data[i]), 4);
      });
    }
  },
);

it.each([
  ['twinCritic', twinCritic({ hidden: [4] })],
  ['crossQCritic', crossQCritic({ hidden: [4] })],
  ['broCritic', broCritic({ width: 4, blocks: 1 })],
  ['withStep', withStep(sines)],
])('%s tells latents of different steps apart, and actions by their own', (_, make) => {
  const [observations, x] = [tf.zeros<tf.Rank.R2>([3, 2]), tf.ones<tf.Rank.R2>([3, 1])];
  const sizes = { observationSize: 2, actionSize: 1, outputs: 1 };
  const ofLatents = make(Rng.fromSeed(0), { ...sizes, diffusionSteps: 2 });
  const [values] = ofLatents.apply(observations, x, { step: tf.tensor1d([0, 1, 2]) });
  expect(new Set(values!.dataSync()).size).toBe(3);
  const ofActions = make(Rng.fromSeed(0), sizes);
  expect(ofActions.apply(observations, x)[0]!.size).toBe(3);
  for (const network of [ofLatents, ofActions]) network.dispose();
});

it('withStep refuses what makes no network', () => {
  const wrong = 'bro' as unknown as CriticFactory;
  expect(() => withStep(wrong)).toThrow("withStep: network must be a function of Rng and CriticSizes, got 'bro'");
});

describe.each(learners.filter(([name]) => ['dime', 'crossq', 'sdac'].includes(name)))('%s', (name, Class, table) => {
  const criticNetwork = crossQCritic({ hidden: [8, 8], weightNorm: true });
  const create = async (options: object = {}) => {
    const critic = name !== 'dime' ? { critic: categoricalObjective({ min: -9, max: 9, atoms: 5 }) } : {};
    const agent = await smallLearner([name, Class, table], { criticNetwork, ...critic, ...options });
    made.push(agent);
    agent.observe(transitions(0), null);
    return agent;
  };

  it('holds the weights of a weight-normalised critic at length 1, compiled as op by op, and loads them', async () => {
    const [eager, compiled] = [await create(), await create({ compile: true })];
    for (const agent of [eager, compiled]) for (let i = 0; i < 3; i++) await agent.learn();
    const [own, other] = [await eager.state(), await compiled.state()];
    const { data, shape } = own['critic/head1/kernel1']!;
    const kernel = tf.tensor2d(Float32Array.from(data, Number), shape as [number, number]);
    for (const length of tf.norm(kernel, 2, 0).dataSync()) expect(length).toBeCloseTo(1, 5);
    Array.from(data, Number).forEach((x, i) => {
      expect(Math.abs(x - Number(other['critic/head1/kernel1']!.data[i]))).toBeLessThan(1e-4);
    });
    const folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
    await eager.save(folder);
    const loaded = await loadAgent(folder, { options: { compile: false } });
    made.push(loaded);
    expect(loaded.config.criticNetwork).toEqual({ type: 'crossQCritic', hidden: [8, 8], weightNorm: true });
    expect(await loaded.state()).toEqual(own);
    await rm(folder, { recursive: true });
  });
});

it('critics that do not fit are refused by name, and leave nothing behind', async () => {
  const head =
    (outputs: number): CriticFactory =>
    (rng, { observationSize, actionSize }) =>
      twinHeads(rng, (own) => new Mlp(own, { inputs: observationSize + actionSize, hidden: [4], outputs }));
  let calls = 0;
  const cases: [object, string][] = [
    [{ criticNetwork: 'bro' }, "criticNetwork must be a function such as broCritic(), got 'bro'"],
    [{ criticNetwork: () => undefined }, 'undefined has no apply()'],
    [{ criticNetwork: () => ({ apply() {} }) }, 'has no dispose()'],
    [{ criticNetwork: () => ({ apply() {}, dispose() {} }) }, 'variables must hold the tf.Variables that are trained'],
    [
      { criticNetwork: head(2) },
      'must give two tensors of shape [B, 1], one a head; for 2 rows it gave [2,2] and [2,2]',
    ],
    [{ criticNetwork: head(1), critic: quantileObjective({ quantiles: 7 }) }, 'shape [B, 7]'],
    [
      { criticNetwork: crossQCritic({ hidden: [4] }) },
      'running statistics (head0/norm0/mean) move in training mode only',
    ],
    [{ criticNetwork: twinCritic({ hidden: [0] }) }, 'got 0'],
    [
      { criticNetwork: ((rng, sizes) => twinCritic({ hidden: [4 + calls++] })(rng, sizes)) as CriticFactory },
      'the same variables each time',
    ],
    [
      { critic: 'quantile' },
      "critic must be a CriticObjective (outputs, value, target, loss) such as quantileObjective(), got 'quantile'",
    ],
    [{ critic: { ...scalarObjective(), outputs: 0 } }, 'critic must be a CriticObjective'],
  ];
  const before = tf.memory().numTensors;
  for (const [options, message] of cases) {
    const creation = SacAgent.create({ env, hidden: [4], compile: false, ...options });
    await expect(creation, message).rejects.toThrow(message);
    await expect(creation).rejects.toThrow(ArgumentError);
    expect(tf.memory().numTensors, message).toBe(before);
  }
});
