import * as tf from '@tensorflow/tfjs-core';
import {
  ArgumentError,
  DiffSacAgent,
  type DiffSacOptions,
  DiffWpoAgent,
  type DiffWpoOptions,
  dmerlSampler,
  GeneralBridgeSampler,
  logVariance,
  OrnsteinUhlenbeckSampler,
  Rng,
} from 'diffrl';
import { describe, expect, it } from 'vitest';
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
import { criticLossesByEnd } from './fixtures.js';

const small = () => ({
  ...{ env: spaces, sampler: smallSampler(), criticHidden: [16], batchSize: 8, compile: false },
  updatesPerTransition: 1 / 20,
});

const kinds = {
  DiffSAC: (options: Partial<DiffSacOptions> = {}) => DiffSacAgent.create({ ...small(), ...options }),
  DiffWPO: (options: Partial<DiffWpoOptions> = {}) => DiffWpoAgent.create({ ...small(), ...options }),
};

const step = (agent: DiffSacAgent, seed: number) => playStep(agent, seed, 20);

describe.each(['DiffSAC', 'DiffWPO'] as const)('%s', (name) => {
  const create = kinds[name] as unknown as (options?: Partial<DiffSacOptions>) => Promise<DiffSacAgent>;

  it.each([
    {},
    { latents: 'replay' },
    { latents: 'replay', actionTarget: 'step', temperature: 0.1 },
    { latentTarget: 'step', actionTarget: 'step', temperature: { anneal: { from: 1, to: 0, duration: 50 } } },
    { groupSize: 3, trustRegion: { mode: 'sum', period: 2 } },
    { trustRegion: { period: 2, bound: 1e-4 } },
    { trustRegion: false },
  ] as Partial<DiffSacOptions>[])('goes on bit for bit from a saved state and leaks nothing: %j', async (options) => {
    const before = tf.memory().numTensors;
    const agent = await create({ ...options });
    const twin = await create({ ...options, sampler: smallSampler(), seed: 7 });
    agent.observe(someTransitions(50, 20), null);
    await expectGoesOn(agent, twin, step, 4);
    agent.dispose();
    twin.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('gives the same numbers compiled (1e-4)', async () => {
    await expectCompiledIsEager(await create(), await create({ sampler: smallSampler(), compile: true }), step, 3);
  });

  it('bootstraps at truncation and not at termination', async () => {
    const losses = await criticLossesByEnd(() => create({ sampler: smallSampler(), seed: 1 }));
    expect(losses[1]).toBe(losses[0]);
    expect(losses[2]).not.toBe(losses[0]);
  });

  it('moves the target critics at their rate', async () => {
    const agent = await create({ targetRate: 0.25 });
    agent.observe(someTransitions(0, 20), null);
    const before = await agent.state();
    await agent.learn();
    const after = await agent.state();
    const name = 'head0/trunk/kernel0';
    const [old, critic, target] = [before[`target/${name}`]!, after[`critic/${name}`]!, after[`target/${name}`]!];
    target.data.forEach((value, i) => expect(value).toBeCloseTo(0.75 * old.data[i]! + 0.25 * critic.data[i]!, 6));
  });

  it('takes a chain of one step', async () => {
    const agent = await create({ sampler: smallSampler(1) });
    agent.observe(someTransitions(0, 20), null);
    expect(Number.isFinite((await agent.learn()).actorLoss)).toBe(true);
  });

  it('takes other chains', async () => {
    const sampler = new GeneralBridgeSampler({ steps: 3 });
    const agent = await create({ sampler });
    agent.observe(someTransitions(0, 20), null);
    const { actorLoss } = await agent.learn();
    expect(Number.isFinite(actorLoss)).toBe(true);
  });

  it('learns the one-step task: from 0.5 to above 0.85', async () => {
    const options = {
      env: bandit,
      sampler: dmerlSampler({ steps: 4, hidden: [64, 64] }),
      criticHidden: [64, 64],
      gamma: 0,
      targetRate: 0.02,
      temperature: 0.02,
      batchSize: 128,
      updatesPerTransition: 1 / 8,
      actorLearningRate: 1e-3,
      criticLearningRate: 1e-3,
      trustRegion: false,
      compile: true,
      seed: 1,
    } as const;
    const agent = await create(options);
    agent.observe(randomBandit(), null);
    expect(await playBandit(agent, 500, 8)).toBeGreaterThan(0.85);
    agent.dispose();
  });
});

function randomBandit() {
  const rows = 500;
  const observations = new Float32Array(rows).fill(0.5);
  const actions = Rng.fromSeed(4).uniforms(rows, -1, 1);
  const rewards = actions.map(
    (a) => Math.exp(-0.5 * ((a + 0.5) / 0.2) ** 2) + 1.05 * Math.exp(-0.5 * ((a - 0.6) / 0.2) ** 2),
  );
  const flags = { terminated: new Uint8Array(rows).fill(1), truncated: new Uint8Array(rows) };
  return { observations, actions, rewards, nextObservations: observations, ...flags };
}

describe('DiffSAC alone', () => {
  it('has a forward-KL form, which refuses lone chains', async () => {
    const agent = await kinds.DiffSAC({ divergence: 'forward', groupSize: 4 });
    agent.observe(someTransitions(0, 20), null);
    expect(Number.isFinite((await agent.learn()).actorLoss)).toBe(true);
    await expect(kinds.DiffSAC({ divergence: 'forward', groupSize: 1 })).rejects.toThrow(ArgumentError);
  });

  it('refuses what would have no effect: pathOnly with forward KL, a loss of whole chains', async () => {
    await expect(kinds.DiffSAC({ divergence: 'forward', pathOnly: true })).rejects.toThrow(/pathOnly must not be true/);
    const sampler = dmerlSampler({ steps: 2, hidden: [8], divergence: logVariance });
    await expect(kinds.DiffSAC({ sampler })).rejects.toThrow(/sampler must not have a divergence of its own/);
    class Own extends OrnsteinUhlenbeckSampler {
      override divergence() {
        return tf.scalar(0);
      }
    }
    await expect(kinds.DiffSAC({ sampler: new Own({ steps: 2 }) })).rejects.toThrow(/or use DimeAgent/);
  });

  it('weighs the values of actions and latents alike at any group size', async () => {
    const losses = [];
    for (const groupSize of [1, 4]) {
      const agent = await kinds.DiffSAC({ groupSize, batchSize: 8, actionTarget: 'step' });
      agent.observe(someTransitions(0, 20), null);
      const rows = 8 * groupSize;
      const same = (numbers: number, value = 0.3) => new Float32Array(numbers).fill(value);
      const perRow = rows * agent.actionSpace.size;
      const { criticLoss } = await agent.learn(agent.replay.sample(8, Rng.fromSeed(0)), {
        chain: same(4 * perRow),
        step: same(rows, 1),
        critic: same(perRow),
        actor: same(perRow),
        start: same(8 * agent.actionSpace.size),
      });
      losses.push(criticLoss as number);
    }
    expect(losses[1]).toBeCloseTo(losses[0]!, 5);
  });

  it('refuses to look along chains that it does not simulate', async () => {
    await expect(kinds.DiffSAC({ latents: 'replay', latentTarget: 'chain' })).rejects.toThrow(ArgumentError);
    await expect(kinds.DiffSAC({ latents: 'replay', groupSize: 2 })).rejects.toThrow(ArgumentError);
  });
});
