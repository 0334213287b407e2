import * as tf from '@tensorflow/tfjs-core';
import {
  ArgumentError,
  Box,
  CheckpointError,
  DdpmSampler,
  type DiffusionPath,
  DimeAgent,
  type DimeOptions,
  EulerMaruyamaSampler,
  FlowSampler,
  forwardKl,
  GaussianSampler,
  GeneralBridgeSampler,
  logDerivativeKl,
  logVariance,
  type NetworkFactory,
  NonFiniteError,
  negativeLogWeights,
  Rng,
  ShapeError,
  TimeConditionedMlp,
  trajectoryBalance,
  varGrad,
} from 'diffrl';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadState } from '../../src/state.js';
import { criticLossesByEnd, env, transitions } from './fixtures.js';

const smallNetwork: NetworkFactory = (rng, sizes) =>
  new TimeConditionedMlp(rng, { ...sizes, hidden: [16], timeSize: 8 });

function create(options: Partial<DimeOptions> = {}): Promise<DimeAgent> {
  const sampler = new EulerMaruyamaSampler({ steps: 4, network: smallNetwork });
  return DimeAgent.create({ env, sampler, criticHidden: [16], batchSize: 8, compile: false, ...options });
}

afterEach(() => vi.restoreAllMocks());

describe('acting', () => {
  it('gives actions in the space, one or many at a time', async () => {
    const agent = await create();
    const { actions } = await agent.act(Rng.fromSeed(1).normals(300 * 3));
    expect(actions.length).toBe(600);
    for (let i = 0; i < 300; i++) expect(env.actionSpace.contains(actions.subarray(2 * i, 2 * i + 2))).toBe(true);
    expect((await agent.act(new Float32Array(3), { explore: false })).actions.length).toBe(2);
  });

  it('is the same for the same seed, and not for another', async () => {
    const first = async (seed: number) => (await create({ seed })).act(Float32Array.of(1, 2, 3));
    expect(await first(5)).toEqual(await first(5));
    expect(await first(5)).not.toEqual(await first(6));
  });

  it('starts as the published initial policy: 29 % of actions beyond 0.99, E[run cost] 2.857 a dimension', async () => {
    // The control starts at 0, so the size of its network makes no difference.
    const sampler = new EulerMaruyamaSampler({ network: smallNetwork });
    const agent = await create({ sampler, env: { ...env, actionSpace: Box.uniform(8, -1, 1) } });
    const path = agent.sampler.sample(
      tf.zeros([500, 3]),
      tf.tensor(Rng.fromSeed(0).normals(17 * 500 * 8), [17, 500, 8]),
    );
    const saturated = tf.mean(tf.cast(tf.greater(tf.abs(path.action), 0.99), 'float32')).dataSync()[0]!;
    expect(saturated).toBeCloseTo(0.29, 1);
    // Standard error of the mean over 4000 dimensions: about 0.045.
    expect(tf.mean(path.runCost).dataSync()[0]! / 8).toBeGreaterThan(2.857 - 0.2);
    expect(tf.mean(path.runCost).dataSync()[0]! / 8).toBeLessThan(2.857 + 0.2);
    expect(tf.mean(path.logPrior).dataSync()[0]! / 8).toBeCloseTo(-2.335229, 1);
  });
});

describe('learning', () => {
  it('updates the actor after every third critic update', async () => {
    const agent = await create();
    agent.observe(transitions(0), null);
    const due: boolean[] = [];
    for (let step = 0; step < 6; step++) due.push('actorLoss' in (await agent.learn()));
    expect(agent.updates).toBe(6);
    expect(due).toEqual([false, false, true, false, false, true]);
  });

  it.each([
    [true, 1000],
    [false, 20],
  ])(
    'leaks no tensor, compile: %s, over %i updates',
    async (compile, updates) => {
      const agent = await create({ compile });
      agent.observe(transitions(0), null);
      for (let i = 0; i < 3; i++) await agent.learn();
      const before = tf.memory().numTensors;
      for (let i = 0; i < updates; i++) await agent.learn();
      await agent.act(new Float32Array(3));
      expect(tf.memory().numTensors).toBe(before);
      agent.dispose();
    },
    120_000,
  );

  it('ten updates are the same compiled and op by op (1e-4 relative to the largest entry)', async () => {
    const [compiled, eager] = [await create({ compile: true }), await create({ compile: false })];
    for (const agent of [compiled, eager]) {
      agent.observe(transitions(0), null);
      for (let i = 0; i < 5; i++) await agent.learn();
    }
    const [got, expected] = [await compiled.state(), await eager.state()];
    for (const [name, { data }] of Object.entries(expected)) {
      const scale = Math.max(1e-3, ...Array.from(data, Math.abs));
      const difference = Math.max(0, ...Array.from(data, (value, i) => Math.abs(value - got[name]!.data[i]!)));
      expect(difference / scale, name).toBeLessThan(1e-4);
    }
  });

  it('frees everything on dispose', async () => {
    const before = tf.memory().numTensors;
    (await create()).dispose();
    (
      await create({ sampler: new EulerMaruyamaSampler({ learnDiffusion: false, divergence: trajectoryBalance }) })
    ).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('bootstraps at truncation and not at termination', async () => {
    const losses = await criticLossesByEnd(() => create({ seed: 1 }));
    expect(losses[1]).toBe(losses[0]);
    expect(losses[2]).not.toBe(losses[0]);
  });

  it('warns once, with advice, when targets leave the support', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const agent = await create({ support: { min: -1, max: 1, atoms: 5 }, compile: true });
    const data = transitions(0);
    agent.observe({ ...data, rewards: data.rewards.fill(50) }, null);
    for (let i = 0; i < 600; i++) await agent.learn();
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]![0]).toMatch(/ends of its support.*Widen `support`/);
  }, 60_000);
});

describe('ablations', () => {
  class SecondMoment extends EulerMaruyamaSampler {
    override get requirements() {
      return logVariance.requirements;
    }
    override divergence(path: DiffusionPath, logTarget: tf.Tensor1D) {
      return tf.mean(tf.square(negativeLogWeights(path, logTarget))) as tf.Scalar;
    }
  }

  const samplers = {
    'SAC Flow': () => new FlowSampler({ steps: 2, stdHidden: [8] }),
    'Gaussian policy': () => new GaussianSampler({ hidden: [16] }),
    'General Bridge': () => new GeneralBridgeSampler({ steps: 3, network: smallNetwork }),
    'fixed diffusion': () => new EulerMaruyamaSampler({ steps: 3, network: smallNetwork, learnDiffusion: false }),
    'a subclass': () => new SecondMoment({ steps: 3, network: smallNetwork }),
    ...Object.fromEntries(
      Object.entries({ logDerivativeKl, logVariance, varGrad, trajectoryBalance, forwardKl }).map(
        ([name, divergence]) => [name, () => new EulerMaruyamaSampler({ steps: 3, network: smallNetwork, divergence })],
      ),
    ),
  };

  it.each(Object.entries(samplers))('%s changes the actor by finite updates', async (_, sampler) => {
    const agent = await create({ sampler: sampler(), policyDelay: 1 });
    agent.observe(transitions(0), null);
    const before = await agent.state();
    const metrics = await agent.learn();
    expect(Object.values(metrics).every(Number.isFinite)).toBe(true);
    const after = await agent.state();
    const changed = Object.keys(after).filter(
      (name) => name.startsWith('actor/') && `${after[name]!.data}` !== `${before[name]!.data}`,
    );
    expect(changed.length).toBeGreaterThan(2);
    agent.dispose();
  });

  it('a scalar critic, and a fixed temperature', async () => {
    const agent = await create({ critic: 'scalar', temperature: 0.3, temperatureLearningRate: 0, policyDelay: 1 });
    agent.observe(transitions(0), null);
    const metrics = await agent.learn();
    expect(metrics.temperature).toBeCloseTo(0.3, 6);
    expect(Number.isFinite(metrics.criticLoss)).toBe(true);
  });

  it('a frozen coefficient stays as it is', async () => {
    const divergence = logVariance;
    const agent = await create({
      sampler: new EulerMaruyamaSampler({ steps: 3, network: smallNetwork, divergence }),
      policyDelay: 1,
    });
    agent.observe(transitions(0), null);
    const before = (await agent.state())['actor/stepSize']!.data;
    await agent.learn();
    expect((await agent.state())['actor/stepSize']!.data).toEqual(before);
  });
});

describe('state', () => {
  it('a restored agent goes on bit for bit', async () => {
    const agent = await create({ seed: 3 });
    agent.observe(transitions(0), null);
    await agent.learn();
    const copy = await create({ seed: 99 });
    await loadState(copy, await agent.state());
    for (const each of [agent, copy]) {
      each.observe(transitions(1), null);
      await each.learn();
      await each.learn();
    }
    expect(await copy.state()).toEqual(await agent.state());
    expect(await copy.act(new Float32Array(3))).toEqual(await agent.act(new Float32Array(3)));
  });

  it('refuses the state of another agent and keeps its own', async () => {
    const agent = await create();
    const other = await create({ criticHidden: [8] });
    const before = await agent.state();
    await expect(agent.prepare(await other.state())).rejects.toThrow(CheckpointError);
    const { 'temperature/log': _, ...incomplete } = before;
    await expect(agent.prepare(incomplete)).rejects.toThrow("'temperature/log' is missing");
    expect(await agent.state()).toEqual(before);
  });
});

describe('bad input changes nothing and says what to do', () => {
  it('observations and transitions', async () => {
    const agent = await create();
    const before = await agent.state();
    await expect(agent.act(new Float32Array(4))).rejects.toThrow(ShapeError);
    await expect(agent.act(Float32Array.of(0, Number.NaN, 0))).rejects.toThrow(NonFiniteError);
    const data = transitions(0);
    expect(() => agent.observe({ ...data, rewards: data.rewards.map(() => Number.NaN) }, null)).toThrow(NonFiniteError);
    expect(() => agent.observe({ ...data, actions: data.actions.subarray(1) }, null)).toThrow(ShapeError);
    await expect(agent.learn()).rejects.toThrow('the buffer is empty');
    expect(await agent.state()).toEqual(before);
  });

  it.each([
    [{ gamma: 1 }, 'DimeAgent: gamma must be a number >= 0 and < 1, got 1.'],
    [{ policyDelay: 0 }, 'policyDelay must be an integer >= 1'],
    [{ critic: 'quantile' as 'scalar' }, "critic must be one of 'categorical', 'scalar'"],
    [{ batchSize: 0 }, 'batchSize must be an integer >= 1'],
    [{ support: { min: 5, max: -5 } }, 'support.max must be a number > 5'],
    [{ env: { ...env, actionSpace: Box.uniform(2) } }, 'the action space must have finite bounds'],
  ])('option %o', async (options, message) => {
    await expect(create(options)).rejects.toThrow(message);
    await expect(create(options)).rejects.toThrow(ArgumentError);
  });

  it('a sampler without log-densities', async () => {
    const sampler = new DdpmSampler() as unknown as EulerMaruyamaSampler;
    await expect(create({ sampler })).rejects.toThrow('sampler must have log-densities, a DdpmSampler has none');
  });

  it('a sampler without steps, or used twice', async () => {
    expect(() => new EulerMaruyamaSampler({ steps: 0 })).toThrow('steps must be an integer >= 1, got 0');
    const sampler = new EulerMaruyamaSampler({ steps: 2, network: smallNetwork });
    await create({ sampler });
    await expect(create({ sampler })).rejects.toThrow('give every agent a sampler of its own');
  });
});
