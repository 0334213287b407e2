import * as tf from '@tensorflow/tfjs-core';
import {
  type DiffusionSampler,
  DimeAgent,
  EulerMaruyamaSampler,
  GaussianSampler,
  type NetworkFactory,
  Rng,
  type SamplingMode,
  TimeConditionedMlp,
} from 'diffrl';
import { describe, expect, it } from 'vitest';
import { samplingModes } from '../../src/diffusion/chain.js';
import { expectClose } from '../close.js';
import { env } from './fixtures.js';

const network: NetworkFactory = (rng, sizes) =>
  new TimeConditionedMlp(rng, { ...sizes, hidden: [16], timeSize: 8, lastKernel: 'normal' });
const observation = Float32Array.of(0.5, -1, 2);

function create(evaluation: SamplingMode, evaluationParticles = 1): Promise<DimeAgent> {
  const sampler = new EulerMaruyamaSampler({ steps: 4, network });
  return DimeAgent.create({ env, sampler, criticHidden: [16], compile: false, evaluation, evaluationParticles });
}

/** The action shown with random numbers of `seed`, in [-1, 1]. */
async function shown(agent: DimeAgent, seed: number): Promise<Float32Array> {
  const { actions } = await agent.act(observation, { explore: false, noise: [Rng.fromSeed(seed)] });
  const { low, high } = env.actionSpace;
  return actions.map((a, i) => (2 * (a - low[i]!)) / (high[i]! - low[i]!) - 1);
}

/** The chain's noise `[K + 1, particles, A]` of `seed`. */
const chainNoise = (seed: number, particles = 1) =>
  tf.tensor(Rng.fromSeed(seed).normals(10 * particles), [5, particles, 2]);

describe('evaluation', () => {
  it.each(samplingModes)('%s: what the sampler does in that mode, while exploring stays as trained', async (mode) => {
    const agent = await create(mode);
    const expected = (agent.sampler as DiffusionSampler).actions(tf.tensor2d(observation, [1, 3]), chainNoise(3), mode);
    expectClose(await shown(agent, 3), expected.dataSync(), 1e-6);
    const explored = await agent.act(observation, { explore: true });
    expect(explored).toEqual(await (await create('sde')).act(observation));
    agent.dispose();
  });

  it('deterministic: one action for an observation, the others a draw', async () => {
    for (const mode of samplingModes) {
      const agent = await create(mode);
      expect((await shown(agent, 1)).toString() === (await shown(agent, 2)).toString()).toBe(mode === 'deterministic');
      agent.dispose();
    }
  });

  it('of several particles takes the one that the critics value most', async () => {
    const agent = await create('sde', 8);
    const observations = tf.tile(tf.tensor2d(observation, [1, 3]), [8, 1]) as tf.Tensor2D;
    for (const seed of [0, 1, 2]) {
      const candidates = agent.sampler.actions(observations, chainNoise(seed, 8));
      // biome-ignore lint/complexity/useLiteralKeys: it is private
      const values = agent['actionValue'](observations, candidates).dataSync();
      const best = values.indexOf(Math.max(...values));
      expectClose(await shown(agent, seed), candidates.dataSync().slice(2 * best, 2 * best + 2), 1e-6);
    }
    agent.dispose();
  });

  it('is what an exported policy computes', async () => {
    const agent = await create('ode', 4);
    const { inputs, program } = agent.policyGraph(1);
    expect(inputs.noise!.shape).toEqual([5, 4, 2]);
    const { action } = program({ observation: tf.tensor2d(observation, [1, 3]), noise: chainNoise(7, 4) } as never);
    expectClose(await shown(agent, 7), action!.dataSync(), 1e-6);
    agent.dispose();
  });

  it('without noise is the squashed mean of a Gaussian policy', () => {
    const sampler = new GaussianSampler({ hidden: [8] }).build(Rng.fromSeed(0), { observationSize: 3, actionSize: 2 });
    const observations = tf.tensor2d(observation, [1, 3]);
    const mean = sampler.actions(observations, tf.zeros([1, 2]));
    for (const mode of ['lastStepMean', 'ode', 'mean', 'deterministic'] as const) {
      expectClose(sampler.actions(observations, tf.ones([1, 2]), mode), mean.dataSync(), 0);
    }
  });
});
