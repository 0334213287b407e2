import * as tf from '@tensorflow/tfjs-core';
import { DpmdAgent, dpmdPresets, type PolicyTarget, Rng } from 'diffrl';
import { expect, it } from 'vitest';
import { expectClose } from '../close.js';
import { small, smallNetwork } from './denoisingFixtures.js';
import { env, transitions } from './fixtures.js';

/** The weights that the policy's regression gives to actions. */
function weightsOf(agent: DpmdAgent, observations: tf.Tensor2D, clean: tf.Tensor2D, temperature: number) {
  const { target } = agent as unknown as { target: PolicyTarget };
  const step = tf.zeros<tf.Rank.R1>([clean.shape[0]]);
  const noised = { observations, clean, noise: clean, step, noised: clean, temperature: tf.scalar(temperature) };
  return target.regression(noised, undefined).weights!;
}

it.each(['normalised', 'released'] as const)(
  '%s weights follow their formula, statistics follow the values',
  async (weighting) => {
    const agent = await DpmdAgent.create({ ...small, weighting, policyDelay: 1 });
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
      expectClose(weightsOf(agent, observations, actions, 0.7), expected, 1e-5);
      const average = values.reduce((sum, q) => sum + q / 5, 0);
      const spread = Math.sqrt(values.reduce((sum, q) => sum + (q - average) ** 2 / 5, 0));
      [mean, std] = [mean + 1e-3 * (average - mean), std + 1e-3 * (spread - std)];
    }
    const state = await agent.state();
    expectClose(state['policyTarget/mean']!.data as Float32Array, [mean], 1e-6);
    expectClose(state['policyTarget/std']!.data as Float32Array, [std], 1e-6);
  },
);

it('the running deviation of batches of one row follows its distance from the mean, and does not vanish', async () => {
  const agent = await DpmdAgent.create({ ...small, batchSize: 1, policyDelay: 1000 }); // moves like 1000 updates
  const rng = Rng.fromSeed(3);
  for (let round = 0; round < 20; round++) {
    weightsOf(agent, tf.tensor2d(rng.normals(3), [1, 3]), tf.tensor2d(rng.uniforms(2, -1, 1), [1, 2]), 1);
  }
  const values = agent.critic.bindMin(tf.tensor2d(rng.normals(300), [100, 3]), 1)(tf.zeros([100, 2]));
  const spread = Math.sqrt(tf.moments(values).variance.dataSync()[0]!);
  const [std] = (await agent.state())['policyTarget/std']!.data;
  expect(std! / spread).toBeGreaterThan(0.2);
  expect(std! / spread).toBeLessThan(5);
  agent.dispose();
});

it('criticSteps: 2 applies one gradient twice, as the released code does', async () => {
  const moved = await Promise.all(
    [1, 2].map(async (criticSteps) => {
      const agent = await DpmdAgent.create({ ...small, criticSteps });
      agent.observe(transitions(0), null);
      const before = (await agent.state())['critic/head0/bias2']!.data[0]!;
      await agent.learn();
      return (await agent.state())['critic/head0/bias2']!.data[0]! - before;
    }),
  );
  // Adam steps with an unchanged gradient have the same size.
  expect(moved[1]! / moved[0]!).toBeCloseTo(2, 3);
});

it('the preset has the published settings and makes finite updates', async () => {
  const { diffusion, ...submission } = dpmdPresets.submission;
  const network = { ...diffusion, network: smallNetwork };
  const agent = await DpmdAgent.create({ env, ...submission, diffusion: network, batchSize: 2, compile: false });
  expect([agent.options.particles, agent.options.targetParticles, agent.warmupSteps]).toEqual([32, 32, 30_000]);
  expect([agent.sampler.startStd, agent.sampler.schedule.steps]).toEqual([0.5, 20]);
  expect(agent.sampler.schedule.betas[0]).toBeCloseTo(7.993e-3, 6);
  agent.observe(transitions(0), null);
  expect(Object.values(await agent.learn()).every(Number.isFinite)).toBe(true);
  agent.dispose();
});
