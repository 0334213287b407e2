/** What holds for every agent of the papers' tables; each is a line of {@link agents}. */
import * as tf from '@tensorflow/tfjs-core';
import {
  type Agent,
  BroAgent,
  CrossQAgent,
  DacerAgent,
  DiffusionQlAgent,
  DipoAgent,
  DppoAgent,
  evaluate,
  Pendulum,
  PpoAgent,
  QsmAgent,
  QvpoAgent,
  Rng,
  SacAgent,
  type StateDict,
  SyncVectorEnv,
  Td3Agent,
  train,
} from 'diffrl';
import { describe, expect, it } from 'vitest';
import { env, transitions } from './fixtures.js';

interface Case {
  /** A tiny agent. */
  tiny(options: { compile: boolean; seed?: number }): Promise<Agent>;
  /** One that learns Pendulum (gamma 0.95 is a horizon of 20 of its steps). */
  learner(env: Pendulum): Promise<Agent>;
  steps: number;
  /** Environments side by side that it learns from, default 1. */
  envs?: number;
  /** What its mean return must exceed then, -1,200 at random; default -250. */
  atLeast?: number;
}

const tiny = { env, batchSize: 8, hidden: [8], warmupSteps: 0 };
const small = { gamma: 0.95, hidden: [64, 64], batchSize: 64, warmupSteps: 500, seed: 1 };

const tinyBro = { criticWidth: 8, criticBlocks: 1, actorWidth: 8, quantiles: 4, updatesPerTransition: 1, resets: [10] };
const rollouts = { rolloutSteps: 4, minibatchSize: 4, epochs: 4, normaliseObservations: false };

const agents: Record<string, Case> = {
  SAC: {
    tiny: (options) => SacAgent.create({ ...tiny, ...options }),
    learner: (env) =>
      SacAgent.create({ env, ...small, actorLearningRate: 1e-3, criticLearningRate: 3e-3, targetRate: 0.02 }),
    steps: 3000,
  },
  CrossQ: {
    tiny: ({ compile, seed }) =>
      CrossQAgent.create({ env, batchSize: 8, actorHidden: [8], criticHidden: [8], warmupSteps: 0, compile, seed }),
    learner: (env) =>
      CrossQAgent.create({
        ...{ env, gamma: 0.95, batchSize: 64, warmupSteps: 500, seed: 1 },
        ...{ actorHidden: [64, 64], criticHidden: [64, 64], temperature: 0.2, policyDelay: 1 },
      }),
    steps: 3000,
  },
  TD3: {
    tiny: (options) => Td3Agent.create({ ...tiny, ...options }),
    learner: (env) =>
      Td3Agent.create({ env, ...small, actorLearningRate: 1e-3, criticLearningRate: 3e-3, targetRate: 0.02 }),
    steps: 4000,
  },
  QSM: {
    tiny: ({ compile, seed }) =>
      QsmAgent.create({
        env,
        batchSize: 8,
        criticHidden: [8],
        diffusion: { steps: 2, hidden: [8] },
        warmupSteps: 0,
        compile,
        seed,
      }),
    learner: (env) =>
      QsmAgent.create({
        ...{ env, gamma: 0.95, batchSize: 64, warmupSteps: 500, seed: 1, targetRate: 0.02, criticHidden: [64, 64] },
        ...{ diffusion: { steps: 5, hidden: [64, 64] }, policyLearningRate: 1e-3, criticLearningRate: 3e-3 },
        ...{ valueScale: 2, particles: 4, averageRate: 0.02 },
      }),
    steps: 3000,
    atLeast: -400,
  },
  QVPO: {
    tiny: ({ compile, seed }) =>
      QvpoAgent.create({
        ...{ env, batchSize: 8, criticHidden: [8], policyHidden: [8], warmupSteps: 0, compile, seed },
        ...{ diffusionSteps: 2, candidates: 3, uniformActions: 2 },
      }),
    learner: (env) =>
      QvpoAgent.create({
        ...{ env, gamma: 0.95, batchSize: 64, warmupSteps: 500, seed: 1, targetRate: 0.02, criticHidden: [64, 64] },
        ...{ diffusionSteps: 5, policyHidden: [64, 64], policyLearningRate: 1e-3, criticLearningRate: 3e-3 },
        ...{ candidates: 16, uniformActions: 2, evaluationParticles: 8 },
      }),
    steps: 3000,
    atLeast: -400,
  },
  DIPO: {
    tiny: ({ compile, seed }) =>
      DipoAgent.create({
        ...{ env, batchSize: 8, criticHidden: [8], policyHidden: [8], warmupSteps: 0, compile, seed },
        ...{ diffusionSteps: 2, actionSteps: 3 },
      }),
    learner: (env) =>
      DipoAgent.create({
        ...{ env, gamma: 0.95, batchSize: 64, warmupSteps: 500, seed: 1, targetRate: 0.02, criticHidden: [64, 64] },
        ...{ diffusionSteps: 5, policyHidden: [64, 64], policyLearningRate: 1e-3, criticLearningRate: 3e-3 },
      }),
    steps: 3000,
    atLeast: -400,
  },
  'Diffusion-QL': {
    tiny: ({ compile, seed }) =>
      DiffusionQlAgent.create({
        ...{ env, batchSize: 8, criticHidden: [8], policyHidden: [8], warmupSteps: 0, compile, seed },
        ...{ diffusionSteps: 2, particles: 4, averageEvery: 2, averageAfter: 0 },
      }),
    learner: (env) =>
      DiffusionQlAgent.create({
        ...{ env, gamma: 0.95, batchSize: 64, warmupSteps: 500, seed: 1, diffusionSteps: 3 },
        ...{ criticHidden: [64, 64], policyHidden: [64, 64], particles: 8, evaluationParticles: 8 },
        ...{ eta: 20, targetRate: 0.02, averageAfter: 0, policyLearningRate: 1e-3, criticLearningRate: 3e-3 },
      }),
    steps: 3000,
    atLeast: -400,
  },
  BRO: {
    tiny: (options) => BroAgent.create({ env, batchSize: 8, warmupSteps: 0, ...tinyBro, ...options }),
    learner: (env) =>
      BroAgent.create({
        ...{ env, gamma: 0.95, batchSize: 64, warmupSteps: 500, seed: 1, updatesPerTransition: 1, resets: [1000] },
        ...{ criticWidth: 64, criticBlocks: 1, actorWidth: 64, quantiles: 16 },
        ...{ actorLearningRate: 2e-3, criticLearningRate: 2e-3, targetRate: 0.02, temperature: 0.2 },
      }),
    steps: 3000,
    atLeast: -400,
  },
  PPO: {
    tiny: (options) => PpoAgent.create({ env, hidden: [8], ...rollouts, ...options }),
    learner: (env) =>
      PpoAgent.create({ env, gamma: 0.9, seed: 1, rolloutSteps: 512, minibatchSize: 128, learningRate: 3e-3 }),
    steps: 24_000,
    envs: 16,
    atLeast: -400,
  },
  DPPO: {
    tiny: (options) =>
      DppoAgent.create({ env, diffusionSteps: 3, policyHidden: [8], valueHidden: [8], ...rollouts, ...options }),
    learner: (env) =>
      DppoAgent.create({
        ...{ env, gamma: 0.9, seed: 1, diffusionSteps: 4, policyHidden: [64, 64], valueHidden: [64, 64] },
        ...{ rolloutSteps: 512, minibatchSize: 256, clip: 0.2, actorLearningRate: 3e-3 },
      }),
    steps: 16_000,
    envs: 16,
    atLeast: -400,
  },
  DACER: {
    tiny: ({ compile, seed }) =>
      DacerAgent.create({
        ...{ env, batchSize: 8, criticHidden: [8], policyHidden: [8], warmupSteps: 0, compile, seed },
        ...{ diffusionSteps: 2, entropyEvery: 4, entropySamples: 5 },
      }),
    learner: (env) =>
      DacerAgent.create({
        ...{ env, gamma: 0.95, batchSize: 64, warmupSteps: 500, seed: 1, diffusionSteps: 3 },
        ...{ criticHidden: [64, 64], policyHidden: [64, 64], temperature: 1, entropyEvery: 500, entropySamples: 50 },
        ...{ targetRate: 0.02, policyDelay: 1, policyLearningRate: 1e-3, criticLearningRate: 3e-3 },
      }),
    steps: 3000,
  },
};

/** Observes, then updates `times` times. */
async function learn(agent: Agent, times: number, from = 0): Promise<void> {
  for (let i = 0; i < times; i++) {
    const data = transitions(from + i, 4);
    const decision = await agent.act(data.observations);
    agent.observe({ ...data, actions: decision.actions }, decision);
    await agent.update();
  }
}

function expectSameState(a: StateDict, b: StateDict, tolerance: number): void {
  expect(Object.keys(a)).toEqual(Object.keys(b));
  for (const [name, { data }] of Object.entries(a)) {
    const other = b[name]!.data;
    const scale = Math.max(...Array.from(data, (x) => Math.abs(Number(x))), 1);
    Array.from(data).forEach((x, i) => {
      expect(Math.abs(Number(x) - Number(other[i])), `${name}[${i}]`).toBeLessThanOrEqual(tolerance * scale);
    });
  }
}

describe.each(Object.entries(agents))(
  '%s',
  { timeout: 240_000 },
  (_, { tiny, learner, steps, envs = 1, atLeast = -250 }) => {
    it('is the same compiled and op by op over 12 gradient steps (1e-4 relative)', async () => {
      const [compiled, eager] = [await tiny({ compile: true }), await tiny({ compile: false })];
      for (const agent of [compiled, eager]) await learn(agent, 3);
      expectSameState(await compiled.state(), await eager.state(), 1e-4);
      for (const agent of [compiled, eager]) agent.dispose();
    });

    it('goes on bit for bit from its state', async () => {
      const [first, second] = [await tiny({ compile: true }), await tiny({ compile: true, seed: 7 })];
      await learn(first, 2);
      const commit = await second.prepare(await first.state());
      await commit();
      for (const agent of [first, second]) await learn(agent, 2, 2);
      expectSameState(await first.state(), await second.state(), 0);
      for (const agent of [first, second]) agent.dispose();
    });

    it('leaks no tensor over 1,000 gradient steps', async () => {
      const agent = await tiny({ compile: true });
      await learn(agent, 2);
      const before = tf.memory().numTensors;
      await learn(agent, 250);
      expect(tf.memory().numTensors).toBe(before);
      agent.dispose();
    });

    it('decides in the action space, the same for the same observation when it does not explore', async () => {
      const agent = await tiny({ compile: false });
      const observations = Rng.fromSeed(2).normals(50 * 3);
      const decide = async () => (await agent.act(observations, { explore: false, noise: streams(50) })).actions;
      const actions = await decide();
      for (let i = 0; i < 50; i++) expect(env.actionSpace.contains(actions.slice(2 * i, 2 * i + 2))).toBe(true);
      await agent.act(observations);
      expect(await decide()).toEqual(actions);
      agent.dispose();
    });

    it(`learns Pendulum: a mean return over ${atLeast} of 10 episodes, -1,200 at random`, async () => {
      const agent = await learner(new Pendulum());
      const env = envs === 1 ? new Pendulum() : await SyncVectorEnv.create(envs, () => new Pendulum());
      await train({ agent, env, seed: 1, steps });
      const { mean } = await evaluate({ agent, env: new Pendulum(), episodes: 10 });
      expect(mean).toBeGreaterThan(atLeast);
      agent.dispose();
    });
  },
);

function streams(count: number): Rng[] {
  return Array.from({ length: count }, (_, i) => Rng.fromSeed(i));
}
