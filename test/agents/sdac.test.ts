import * as tf from '@tensorflow/tfjs-core';
import {
  ArgumentError,
  Box,
  DpmdAgent,
  type DpmdOptions,
  dpmdPresets,
  encodeOnnx,
  linearDecay,
  mish,
  Rng,
  ScoreNetwork,
  SdacAgent,
  type SdacOptions,
  type StateDict,
  sdacPresets,
  sinusoidalFeatures,
  type Transitions,
} from 'diffrl';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../close.js';

const env = { observationSpace: Box.uniform(3), actionSpace: new Box([-2, 0], [2, 1]) };

const small = {
  env,
  diffusion: {
    steps: 4,
    network: (rng: Rng, sizes: { observationSize: number; actionSize: number }) =>
      new ScoreNetwork(rng, {
        ...sizes,
        hidden: [16],
        activation: mish,
        timeFeatures: sinusoidalFeatures(8, 0.3),
        timeSize: 8,
        lastKernel: 'normal',
      }),
  },
  particles: 3,
  targetParticles: 2,
  criticHidden: [16, 16],
  batchSize: 8,
  compile: false,
};
type SmallOptions = Partial<SdacOptions & DpmdOptions>;

const agents = [
  ['SDAC', (options: SmallOptions = {}) => SdacAgent.create({ ...small, reverseSamples: 5, ...options })],
  [
    'SDAC with a clipped proposal on current states',
    (options: SmallOptions = {}) =>
      SdacAgent.create({ ...small, reverseSamples: 5, proposal: 'clip', policyStates: 'current', ...options }),
  ],
  ['DPMD', (options: SmallOptions = {}) => DpmdAgent.create({ ...small, ...options })],
  [
    'DPMD with uniform weights',
    (options: SmallOptions = {}) => DpmdAgent.create({ ...small, weighting: 'uniform', ...options }),
  ],
] as const;

function transitions(seed: number, rows = 20): Transitions {
  const rng = Rng.fromSeed(seed);
  return {
    observations: rng.normals(3 * rows),
    actions: Float32Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? rng.uniform(0, 1) : rng.uniform(-2, 2))),
    rewards: rng.normals(rows),
    nextObservations: rng.normals(3 * rows),
    terminated: new Uint8Array(rows),
    truncated: new Uint8Array(rows),
  };
}

const changed = (before: StateDict, after: StateDict) => {
  const names = Object.keys(after).filter((name) => `${after[name]!.data}` !== `${before[name]!.data}`);
  return [...new Set(names.map((name) => name.split('/')[0]!))];
};

describe.each(agents)('%s', (name, create) => {
  it('acts within the space; without exploration as a function of each observation alone', async () => {
    const agent = await create();
    const observations = Rng.fromSeed(1).normals(3 * 3);
    const actions = await agent.act(observations);
    for (let i = 0; i < 3; i++) expect(env.actionSpace.contains(actions.subarray(2 * i, 2 * i + 2))).toBe(true);
    expect(await agent.act(observations)).not.toEqual(actions);

    const evaluated = await agent.act(observations, { explore: false });
    agent.observe(transitions(0));
    const second = await agent.act(observations.slice(3, 6), { explore: false });
    expectClose(second, evaluated.slice(2, 4), 1e-6);
  });

  it('moves policy and target networks at every second update, the critics at each', async () => {
    const agent = await create();
    agent.observe(transitions(0));
    const states = [await agent.state()];
    for (let i = 0; i < 3; i++) {
      await agent.update();
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

  it('leaks no tensor over 200 updates, and frees everything on dispose', async () => {
    const empty = tf.memory().numTensors;
    const agent = await create();
    agent.observe(transitions(0));
    const before = tf.memory().numTensors;
    for (let i = 0; i < 200; i++) await agent.update();
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
      agent.observe(transitions(0));
      for (let i = 0; i < 4; i++) await agent.update();
    }
    const [expected, got] = [await eager.state(), await compiled.state()];
    for (const [name, { data }] of Object.entries(expected)) {
      const scale = Math.max(1e-2, ...Array.from(data as Float32Array, Math.abs));
      expectClose(got[name]!.data as Float32Array, data as Float32Array, 1e-3 * scale);
    }
    compiled.dispose();
  });

  it('a restored agent goes on bit for bit', async () => {
    const agent = await create({ seed: 3 });
    agent.observe(transitions(0));
    await agent.update();
    const copy = await create({ seed: 99 });
    await copy.loadState(await agent.state());
    for (const each of [agent, copy]) {
      each.observe(transitions(1));
      for (let i = 0; i < 3; i++) await each.update();
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
      noiseLevel: { initial: 0.3, learningRate: 0 },
      reverseSamples: 16,
      particles: 8,
      targetParticles: 4,
      compile: true,
    });
    const rows = 2000;
    const actions = Float32Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? rng.uniform(0, 1) : rng.uniform(-2, 2)));
    const inUnits = (i: number) => (actions[2 * i]! - goal[0]!) ** 2 + 4 * (actions[2 * i + 1]! - goal[1]!) ** 2;
    agent.observe({
      observations: new Float32Array(3 * rows),
      actions,
      rewards: Float32Array.from({ length: rows }, (_, i) => -inUnits(i)),
      nextObservations: new Float32Array(3 * rows),
      terminated: new Uint8Array(rows).fill(1),
      truncated: new Uint8Array(rows),
    });
    for (let i = 0; i < 600; i++) await agent.update();
    const got = await agent.act(new Float32Array(3), { explore: false });
    // In policy units. The clipped proposal's bias takes the policy past the goal to the wall.
    const tolerance = name.includes('clipped') ? 0.55 : 0.2;
    expect(Math.abs(got[0]! - goal[0]!) / 2).toBeLessThan(tolerance);
    expect(Math.abs(got[1]! - goal[1]!) * 2).toBeLessThan(tolerance);
    agent.dispose();
  });
});

describe('SDAC', () => {
  it('reports effective sample size, clipped share and noise level', async () => {
    const agent = await SdacAgent.create({ ...small, reverseSamples: 5, proposal: 'clip' });
    agent.observe(transitions(0));
    const metrics = await agent.update();
    expect(metrics.effectiveSampleSize).toBeGreaterThan(1);
    expect(metrics.effectiveSampleSize).toBeLessThanOrEqual(5);
    expect(metrics.clippedShare).toBeGreaterThan(0.2);
    expect(metrics.noiseLevel).toBeCloseTo(5, 6);
    expect(Object.keys(await agent.update())).not.toContain('policyLoss');
  });

  it('tends to the Boltzmann distribution of its critics, not only to their maximum', async () => {
    // Fixed critics: an action's value is minus its distance from 0 in the first entry alone, at temperature 0.5.
    const agent = await SdacAgent.create({
      ...small,
      diffusion: {
        steps: 20,
        network: (rng, sizes) =>
          new ScoreNetwork(rng, { ...sizes, hidden: [64, 64], timeSize: 16, lastKernel: 'normal' }),
      },
      batchSize: 64,
      particles: 1,
      targetParticles: 1,
      reverseSamples: 64,
      values: 'raw',
      valueScale: 1,
      explorationNoise: 0,
      policyDelay: 1,
      criticLearningRate: 0,
      policyLearningRate: linearDecay({ from: 3e-3, to: 1e-4, over: 1500 }),
      noiseLevel: { initial: 0.5, learningRate: 0 },
      criticHidden: [2],
      compile: true,
    });
    for (const head of ['head0', 'head1']) {
      const kernel = [0, 0, 0, 0, 0, 0, 1, -1, 0, 0];
      (agent.critic.variables[`${head}/kernel0`] as tf.Variable).assign(tf.tensor2d(kernel, [5, 2]));
      (agent.critic.variables[`${head}/kernel1`] as tf.Variable).assign(tf.tensor2d([-1, -1], [2, 1]));
    }
    agent.observe(transitions(0, 64));
    for (let i = 0; i < 1500; i++) await agent.update();
    const rows = 4000;
    const noise = tf.tensor3d(Rng.fromSeed(1).normals(20 * rows * 2), [20, rows, 2]);
    const actions = agent.sampler.actions(tf.tensor2d(Rng.fromSeed(2).normals(3 * rows), [rows, 3]), noise);
    const [first, second] = tf.split(tf.abs(actions), 2, 1) as [tf.Tensor, tf.Tensor];
    // Density exp(-2 |a|) on [-1, 1]: E|a| = (1 - 3 e^-2) / (2 (1 - e^-2)) = 0.3435; uniform: 0.5.
    // A 20-step chain with the exact scores has E|a| 0.293 for the density exp(-2 |a|) on [-1, 1], 0.460 for the uniform one
    // (own quadrature; the densities themselves have 0.344 and 0.5); the maximum alone would have 0.
    expect(Math.abs(tf.mean(first).dataSync()[0]! - 0.293)).toBeLessThan(0.06);
    expect(Math.abs(tf.mean(second).dataSync()[0]! - 0.46)).toBeLessThan(0.08);
    agent.dispose();
  }, 60_000);

  it('weighs normalised values alike at any scale of the critics, raw ones not', async () => {
    const sampleSize = async (values: 'normalised' | 'raw', factor: number) => {
      const agent = await SdacAgent.create({ ...small, reverseSamples: 32, values });
      for (const head of ['head0', 'head1']) {
        const last = agent.critic.variables[`${head}/kernel2`] as tf.Variable;
        last.assign(tf.mul(last, factor));
      }
      agent.observe(transitions(0));
      return (await agent.update()).effectiveSampleSize!;
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
});

describe('DPMD', () => {
  class Weights extends DpmdAgent {
    static make(options: SmallOptions): Promise<Weights> {
      return Weights.create({ ...small, ...options }) as Promise<Weights>;
    }
    static override async create(options: DpmdOptions): Promise<Weights> {
      const { selectCompiler } = await import('../../src/agents/program.js');
      return new Weights(options, await selectCompiler(options.compile));
    }
    weights(observations: tf.Tensor2D, clean: tf.Tensor2D, noiseLevel: number) {
      const step = tf.zeros<tf.Rank.R1>([clean.shape[0]]);
      const noised = { observations, clean, noise: clean, step, noised: clean };
      return this.regression(noised, { noiseLevel: tf.scalar(noiseLevel) }).weights!;
    }
  }

  it.each(['normalised', 'released'] as const)(
    '%s weights follow their formula, statistics follow the values',
    async (weighting) => {
      const agent = await Weights.make({ weighting, policyDelay: 1 });
      const [observations, actions] = [
        tf.tensor2d(Rng.fromSeed(1).normals(15), [5, 3]),
        tf.tensor2d(Rng.fromSeed(2).uniforms(10, -1, 1), [5, 2]),
      ];
      const values = [...agent.critic.bindMin(observations, 1)(actions).dataSync()];
      let [mean, std] = [0, 1];
      for (let round = 0; round < 3; round++) {
        const expected = values.map((q) => {
          const score = weighting === 'normalised' ? (q - mean) / std : q - mean / std;
          return Math.exp(Math.min(Math.max(score, -3), 3) / 0.7);
        });
        expectClose(agent.weights(observations, actions, 0.7), expected, 1e-5);
        const average = values.reduce((sum, q) => sum + q / 5, 0);
        const spread = Math.sqrt(values.reduce((sum, q) => sum + (q - average) ** 2 / 5, 0));
        [mean, std] = [mean + 1e-3 * (average - mean), std + 1e-3 * (spread - std)];
      }
      const state = await agent.state();
      expectClose(state['statistics/mean']!.data as Float32Array, [mean], 1e-6);
      expectClose(state['statistics/std']!.data as Float32Array, [std], 1e-6);
    },
  );

  it('criticSteps: 2 applies one gradient twice, as the released code does', async () => {
    const moved = await Promise.all(
      [1, 2].map(async (criticSteps) => {
        const agent = await DpmdAgent.create({ ...small, criticSteps });
        agent.observe(transitions(0));
        const before = (await agent.state())['critic/head0/bias2']!.data[0]!;
        await agent.update();
        return (await agent.state())['critic/head0/bias2']!.data[0]! - before;
      }),
    );
    // Adam steps with an unchanged gradient have the same size.
    expect(moved[1]! / moved[0]!).toBeCloseTo(2, 3);
  });
});

describe('options', () => {
  it.each([
    ['SDAC as released', () => SdacAgent.create({ env, ...sdacPresets.released, batchSize: 2, compile: false })],
    ['DPMD as submitted', () => DpmdAgent.create({ env, ...dpmdPresets.submission, batchSize: 2, compile: false })],
  ] as const)('%s: finite updates with the published settings', async (_, create) => {
    const agent = await create();
    expect([agent.particles, agent.targetParticles, agent.warmupSteps]).toEqual([32, 32, 30_000]);
    expect([agent.sampler.startStd, agent.sampler.schedule.steps]).toEqual([0.5, 20]);
    agent.observe(transitions(0));
    const metrics = await agent.update();
    expect(Object.values(metrics).every(Number.isFinite)).toBe(true);
    agent.dispose();
  });

  it.each([
    [{ particles: 0 }, 'SdacAgent: particles must be an integer >= 1, got 0.'],
    [{ proposal: 'cut' as 'clip' }, "SdacAgent: proposal must be one of 'truncated', 'clip', got 'cut'."],
    [{ reverseSamples: 0.5 }, 'reverseSamples must be an integer >= 1'],
    [{ targetRate: 2 }, 'targetRate must be a number >= 0 and <= 1'],
    [{ rewardScale: 0 }, 'rewardScale must be a number > 0'],
    [{ env: { ...env, actionSpace: Box.uniform(2) } }, 'the action space must have finite bounds'],
  ])('%o is refused with advice', async (options, message) => {
    await expect(SdacAgent.create({ ...small, ...options })).rejects.toThrow(message);
    await expect(SdacAgent.create({ ...small, ...options })).rejects.toThrow(ArgumentError);
  });
});
