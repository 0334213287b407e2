/** What holds for every agent of the papers' tables; each is a line of {@link agents}. */
import * as tf from '@tensorflow/tfjs-core';
import {
  type Agent,
  agentClasses,
  evaluation,
  Pendulum,
  presetFor,
  Rng,
  type StateDict,
  SyncVectorEnv,
  stopAtReturn,
  train,
} from 'diffrl';
import { describe, expect, it } from 'vitest';
import { env, transitions } from './fixtures.js';
import { createSmall } from './small.js';

interface Case {
  /** Options of a small agent besides those of `small`. */
  tiny?: object;
  /** Options of one that learns Pendulum (gamma 0.95 is a horizon of 20 of its steps). */
  learner: object;
  steps: number;
  /** Environments side by side that it learns from, default 1. */
  envs?: number;
  /** What its mean return must exceed then, -1,200 at random; default -250. */
  atLeast?: number;
}

const small = { gamma: 0.95, batchSize: 64, warmupSteps: 500, seed: 1 };
const gaussian = { ...small, hidden: [64, 64], actorLearningRate: 1e-3, criticLearningRate: 3e-3, targetRate: 0.02 };
const denoising = {
  ...{ ...small, criticHidden: [64, 64], targetRate: 0.02 },
  ...{ policyLearningRate: 1e-3, criticLearningRate: 3e-3 },
};
const averaged = { ...denoising, policyHidden: [64, 64], diffusionSteps: 5 };

const agents: Record<string, Case> = {
  sac: { learner: gaussian, steps: 3000 },
  crossq: {
    learner: { ...small, actorHidden: [64, 64], criticHidden: [64, 64], temperature: 0.2, policyDelay: 1 },
    steps: 3000,
  },
  td3: { learner: gaussian, steps: 4000 },
  qsm: {
    learner: {
      ...{ ...denoising, diffusion: { steps: 5, hidden: [64, 64] } },
      ...{ valueScale: 2, particles: 4, averageRate: 0.02 },
    },
    steps: 3000,
    atLeast: -400,
  },
  qvpo: {
    learner: { ...averaged, diffusionSteps: 3, candidates: 8, uniformActions: 2, evaluationParticles: 8 },
    steps: 3000,
    atLeast: -400,
  },
  dipo: {
    learner: { ...averaged, actionSteps: 8, actionLearningRate: 0.08 },
    steps: 3000,
    atLeast: -400,
  },
  diffusionql: {
    tiny: { particles: 4 },
    learner: {
      ...{ ...averaged, diffusionSteps: 3, particles: 8, evaluationParticles: 8 },
      ...{ eta: 20, averageAfter: 0 },
    },
    steps: 3000,
    atLeast: -400,
  },
  consistencyac: {
    tiny: { particles: 4, randomShare: 0.5 },
    learner: {
      ...{ ...averaged, diffusionSteps: 2, particles: 8, evaluationParticles: 8 },
      ...{ averageAfter: 0, averageEvery: 1, updatesPerTransition: 1, randomShareSteps: 1000 },
    },
    steps: 3000,
    atLeast: -400,
  },
  bro: {
    tiny: { resets: [10] },
    learner: {
      ...{ ...small, updatesPerTransition: 1, resets: [1000] },
      ...{ criticWidth: 64, criticBlocks: 1, actorWidth: 64, quantiles: 16 },
      ...{ actorLearningRate: 2e-3, criticLearningRate: 2e-3, targetRate: 0.02, temperature: 0.2 },
    },
    steps: 3000,
    atLeast: -400,
  },
  ppo: {
    learner: { gamma: 0.9, seed: 1, rolloutSteps: 512, minibatchSize: 128, learningRate: 3e-3 },
    steps: 24_000,
    envs: 16,
    atLeast: -400,
  },
  dppo: {
    tiny: { diffusionSteps: 3 },
    learner: {
      ...{ gamma: 0.9, seed: 1, diffusionSteps: 4, policyHidden: [64, 64], valueHidden: [64, 64] },
      ...{ rolloutSteps: 512, minibatchSize: 256, clip: 0.2, actorLearningRate: 3e-3 },
    },
    steps: 16_000,
    envs: 16,
    atLeast: -400,
  },
  wpo: {
    // At the default of 10,000 the penalty of the deviation turns rounding into gradients.
    tiny: { targetPeriod: 5, nStep: 2, stdKlWeight: 10 },
    learner: { ...presetFor('wpo', 'Pendulum-v1').options, seed: 1 },
    steps: 3000,
  },
  dacer: {
    tiny: { entropyEvery: 4 },
    learner: {
      ...{ ...averaged, diffusionSteps: 3, temperature: 1, entropyEvery: 500, entropySamples: 50 },
      ...{ policyDelay: 1 },
    },
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
  (name, { tiny: own, learner, steps, envs = 1, atLeast = -250 }) => {
    const tiny = (options: object) => createSmall(name, { ...own, ...options });

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
      const pendulums = (count: number) => SyncVectorEnv.create(count, () => new Pendulum());
      const env = envs === 1 ? new Pendulum() : await pendulums(envs);
      const agent = await agentClasses[name]!.create({ env, ...learner });
      const callbacks = [
        evaluation({ env: await pendulums(10), every: steps / 8, episodes: 10 }),
        stopAtReturn(atLeast),
      ];
      const { history } = await train({ agent, env, seed: 1, steps, callbacks });
      expect(history.evaluations.at(-1)!.mean).toBeGreaterThan(atLeast);
      agent.dispose();
    });
  },
);

function streams(count: number): Rng[] {
  return Array.from({ length: count }, (_, i) => Rng.fromSeed(i));
}
