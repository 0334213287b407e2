import * as tf from '@tensorflow/tfjs-core';
import { AugmentedMdp, DiffPpoAgent, dmerlSampler, MultiGoal, Rng, type StateDict, substate } from 'diffrl';
import { expect, it } from 'vitest';
import { loadState } from '../../src/state.js';
import { expectClose } from '../close.js';
import { vectorOf } from './vector.js';

const [ENVS, LENGTH, K] = [3, 8, 4];
const env = () => new MultiGoal({ maxEpisodeSteps: 3 });

it('DiffPPO records what its transitions, one by one, do in wrapped environments', async () => {
  const inner = vectorOf(Array.from({ length: ENVS }, env));
  const sampler = dmerlSampler({ steps: K, hidden: [16] });
  const agent = await DiffPpoAgent.create({ env: inner, sampler, compile: false, normaliseObservations: false });
  const head = sampler.variables['control/trunk/kernel1']!;
  head.assign(tf.tensor(Rng.fromSeed(1).normals(head.size, 0, 0.3), head.shape));
  const noise = Rng.fromSeed(0);
  await loadState(noise, substate(await agent.state(), 'noise'));

  let { observations } = await inner.reset({ seed: 7 });
  for (let t = 0; t < LENGTH; t++) {
    const decision = await agent.act(observations);
    const step = await inner.step(decision.actions);
    agent.observe({ ...step, observations, actions: decision.actions }, decision);
    observations = step.observations;
  }
  const records = substate(await agent.state(), 'rollout');
  const part = (name: string, t: number) => slice(records, name, t);

  const wrapped = vectorOf(
    Array.from({ length: ENVS }, () => new AugmentedMdp(env(), { diffusionSteps: K, priorStd: 1 })),
  );
  await wrapped.reset({ seed: 7 });
  for (let t = 0; t < LENGTH; t++) {
    const latents = tf.split(tf.tensor2d(part('latents', t), [(K + 1) * ENVS, 2]), K + 1) as tf.Tensor2D[];
    const kernels = sampler.bind(tf.tensor2d(part('observations', t), [ENVS, 2]));
    const draws = tf.unstack(tf.tensor3d(noise.normals((K + 1) * ENVS * 2), [K + 1, ENVS, 2])) as tf.Tensor2D[];
    expectClose(latents[0]!, draws[0]!.dataSync(), 1e-6);
    for (let k = 0; k < K; k++) {
      const rows = tf.fill([ENVS], k) as tf.Tensor1D;
      const next = tf.add(kernels.forwardMean(latents[k]!, rows), tf.mul(kernels.std(rows), draws[k + 1]!));
      expectClose(latents[k + 1]!, next.dataSync(), 1e-6);
      const step = await wrapped.step(latents[k + 1]!.dataSync() as Float32Array);
      const isLast = k === K - 1;
      expect(step.rewards).toEqual(isLast ? part('rewards', t) : new Float32Array(ENVS));
      expect(step.terminated).toEqual(isLast ? part('terminated', t) : new Uint8Array(ENVS));
      expect(step.truncated).toEqual(isLast ? part('truncated', t) : new Uint8Array(ENVS));
      if (isLast) expect(observed(step.nextObservations)).toEqual(part('nextObservations', t));
    }
  }
  expect([...records.truncated!.data].some(Boolean)).toBe(true);
  agent.dispose();
});

/** The environment's part of wrapped observations: `[observation | latent | steps to go]` without the rest. */
function observed(augmented: Float32Array): Float32Array {
  return augmented.filter((_, i) => i % 5 < 2);
}

/** What `records` hold of step t. */
function slice(records: StateDict, name: string, t: number): Float32Array {
  const { data } = records[name]!;
  const width = data.length / LENGTH;
  return data.slice(t * width, (t + 1) * width) as Float32Array;
}
