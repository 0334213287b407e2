import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, Box, DpmdAgent, Rng, SdacAgent, type StateDict } from 'diffrl';
import { describe, expect, it } from 'vitest';
import { loadState } from '../../src/state.js';
import { expectClose } from '../close.js';
import { small, variants } from './denoisingFixtures.js';
import { env, transitions } from './fixtures.js';

const changed = (before: StateDict, after: StateDict) => {
  const names = Object.keys(after).filter((name) => `${after[name]!.data}` !== `${before[name]!.data}`);
  return [...new Set(names.map((name) => name.split('/')[0]!))];
};

describe.each(variants)('%s', (name, create) => {
  it('acts within the space; without exploration as a function of each observation alone', async () => {
    const agent = await create();
    const observations = Rng.fromSeed(1).normals(3 * 3);
    const { actions } = await agent.act(observations);
    for (let i = 0; i < 3; i++) expect(env.actionSpace.contains(actions.subarray(2 * i, 2 * i + 2))).toBe(true);
    expect((await agent.act(observations)).actions).not.toEqual(actions);

    const { actions: evaluated } = await agent.act(observations, { explore: false });
    agent.observe(transitions(0), null);
    const { actions: second } = await agent.act(observations.slice(3, 6), { explore: false });
    expectClose(second, evaluated.slice(2, 4), 1e-6);
  });

  it('moves policy and target networks at every second update, the critics at each', async () => {
    const agent = await create();
    agent.observe(transitions(0), null);
    const states = [await agent.state()];
    for (let i = 0; i < 3; i++) {
      await agent.learn();
      states.push(await agent.state());
    }
    for (const i of [0, 2]) {
      const moved = changed(states[i]!, states[i + 1]!);
      for (const part of ['policy', 'targetPolicy', 'critic', 'targetCritic']) expect(moved).toContain(part);
    }
    const between = changed(states[1]!, states[2]!);
    expect(between).toContain('critic');
    for (const part of ['policy', 'targetPolicy', 'targetCritic', 'policyAdam']) expect(between).not.toContain(part);
  });

  it.each([
    [true, 200],
    [false, 20],
  ])('leaks no tensor, compile: %s, over %i updates, and frees everything on dispose', async (compile, updates) => {
    const empty = tf.memory().numTensors;
    const agent = await create({ compile });
    agent.observe(transitions(0), null);
    const before = tf.memory().numTensors;
    for (let i = 0; i < updates; i++) await agent.learn();
    await agent.act(new Float32Array(3));
    expect(tf.memory().numTensors).toBe(before);
    agent.dispose();
    expect(tf.memory().numTensors).toBe(empty);
  });

  it('bootstraps at truncation and not at termination, where the target is the scaled reward', async () => {
    const losses: number[] = [];
    for (const [terminated, truncated] of [
      [0, 0],
      [0, 1],
      [1, 0],
    ] as const) {
      const agent = await create({ batchSize: 8 });
      const data = transitions(0, 8);
      const batch = {
        ...data,
        actions: data.actions.map((action, i) => (i % 2 ? 2 * action - 1 : action / 2)),
        terminated: new Float32Array(8).fill(terminated),
        truncated: new Float32Array(8).fill(truncated),
      };
      const values = agent.critic.apply(tf.tensor2d(batch.observations, [8, 3]), tf.tensor2d(batch.actions, [8, 2]));
      const target = tf.mul(tf.tensor1d(batch.rewards), 0.2);
      const errors = values.map((value) => tf.mean(tf.square(tf.sub(value, target))).dataSync()[0]!);
      const { criticLoss } = await agent.learn(batch);
      losses.push(criticLoss!);
      if (terminated) expect(criticLoss).toBeCloseTo(errors[0]! + errors[1]!, 5);
    }
    expect(losses[1]).toBe(losses[0]);
    expect(losses[2]).not.toBe(losses[0]);
  });

  it('compiled is eager (1e-3 of the largest entry, after 4 updates)', async () => {
    const [eager, compiled] = await Promise.all([create({ seed: 2 }), create({ seed: 2, compile: true })]);
    for (const agent of [eager, compiled]) {
      agent.observe(transitions(0), null);
      for (let i = 0; i < 4; i++) await agent.learn();
    }
    const [expected, got] = [await eager.state(), await compiled.state()];
    for (const [name, { data }] of Object.entries(expected)) {
      const scale = Math.max(1e-2, ...Array.from(data as Float32Array, Math.abs));
      expectClose(got[name]!.data as Float32Array, data as Float32Array, 1e-3 * scale);
    }
    compiled.dispose();
  });

  it.each([true, false])('a restored agent goes on bit for bit, compile: %s', async (compile) => {
    const agent = await create({ seed: 3, compile });
    agent.observe(transitions(0), null);
    await agent.learn();
    const copy = await create({ seed: 99, compile });
    await loadState(copy, await agent.state());
    for (const each of [agent, copy]) {
      each.observe(transitions(1), null);
      for (let i = 0; i < 3; i++) await each.learn();
    }
    expect(await copy.state()).toEqual(await agent.state());
    expect(await copy.act(new Float32Array(3))).toEqual(await agent.act(new Float32Array(3)));
  });

  it('learns where the reward is, with actions in the units of the space', async () => {
    // One state, one step: reward -4 (a - goal)^2 in policy units.
    const goal = [1, 0.25];
    const rng = Rng.fromSeed(5);
    const agent = await create({
      batchSize: 64,
      criticHidden: [32, 32],
      policyLearningRate: 3e-3,
      criticLearningRate: 3e-3,
      rewardScale: 1,
      targetRate: 0.05,
      temperature: { initial: 0.3, learningRate: 0 },
      ...(name.startsWith('SDAC') && { reverseSamples: 16 }),
      particles: 8,
      targetParticles: 4,
      compile: true,
    });
    const rows = 2000;
    const actions = Float32Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? rng.uniform(0, 1) : rng.uniform(-2, 2)));
    const inUnits = (i: number) => (actions[2 * i]! - goal[0]!) ** 2 + 4 * (actions[2 * i + 1]! - goal[1]!) ** 2;
    agent.observe(
      {
        observations: new Float32Array(3 * rows),
        actions,
        rewards: Float32Array.from({ length: rows }, (_, i) => -inUnits(i)),
        nextObservations: new Float32Array(3 * rows),
        terminated: new Uint8Array(rows).fill(1),
        truncated: new Uint8Array(rows),
      },
      null,
    );
    for (let i = 0; i < 400; i++) await agent.learn();
    const { actions: got } = await agent.act(new Float32Array(3), { explore: false });
    // In policy units. The clipped proposal's bias takes the policy past the goal to the wall.
    const tolerance = name.includes('clipped') ? 0.55 : 0.2;
    expect(Math.abs(got[0]! - goal[0]!) / 2).toBeLessThan(tolerance);
    expect(Math.abs(got[1]! - goal[1]!) * 2).toBeLessThan(tolerance);
    agent.dispose();
  });
});

describe('options out of range are refused with advice, and leave nothing behind', () => {
  const sdac = (options: object) => SdacAgent.create({ ...small, ...options });
  const dpmd = (options: object) => DpmdAgent.create({ ...small, ...options });

  it.each([
    [sdac, { particles: 0 }, 'SdacAgent: particles must be an integer >= 1, got 0.'],
    [sdac, { proposal: 'cut' }, "SdacAgent: proposal must be one of 'truncated', 'clip', got 'cut'."],
    [sdac, { reverseSamples: 0.5 }, 'reverseSamples must be an integer >= 1'],
    [sdac, { targetRate: 2 }, 'targetRate must be a number >= 0 and <= 1'],
    [sdac, { rewardScale: 0 }, 'rewardScale must be a number > 0'],
    [sdac, { env: { ...env, actionSpace: Box.uniform(2) } }, 'the action space must have finite bounds'],
    [
      dpmd,
      { weighting: 'none' },
      "DpmdAgent: weighting must be one of 'normalised', 'released', 'uniform', got 'none'.",
    ],
    [dpmd, { criticSteps: 0 }, 'DpmdAgent: criticSteps must be an integer >= 1, got 0.'],
    [dpmd, { temperature: { initial: 0 } }, 'DpmdAgent: temperature: initial must be a number > 0, got 0.'],
  ])('%# %o', async (create, options, message) => {
    const before = tf.memory().numTensors;
    await expect(create(options)).rejects.toThrow(message);
    await expect(create(options)).rejects.toThrow(ArgumentError);
    expect(tf.memory().numTensors).toBe(before);
  });
});
