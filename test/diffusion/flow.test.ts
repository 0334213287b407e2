import * as tf from '@tensorflow/tfjs-core';
import { DimeAgent, evaluate, FlowSampler, Pendulum, Rng, stepNetwork, train } from 'diffrl';
import { expect, it } from 'vitest';
import { expectClose } from '../close.js';

const [B, K, O, A] = [4, 3, 3, 2];
const sizes = { observationSize: O, actionSize: A };
const make = () => new FlowSampler({ steps: K, stdHidden: [8] }).build(Rng.fromSeed(0), sizes);
const observations = tf.tensor2d(Rng.fromSeed(1).normals(B * O), [B, O]);
const noise = tf.tensor3d(Rng.fromSeed(2).normals((K + 1) * B * A), [K + 1, B, A]);

it('prices a path by the densities of its steps, written out from its states (1e-5)', () => {
  const sampler = make();
  const path = sampler.sample(observations, noise);
  const states = path.states.map((state) => state.arraySync());
  const kicks = noise.arraySync();
  const share = tf.dot(tf.relu(tf.add(tf.dot(observations, v('std/kernel0')), v('std/bias0'))), v('std/kernel1'));
  const logStd = tf.sub(tf.mul(tf.tanh(tf.add(share, v('std/bias1'))), 3.5), 1.5).arraySync() as number[][];
  const costs = Array.from({ length: B }, (_, b) => {
    let sum = 0;
    for (let a = 0; a < A; a++) {
      const gauss = (z: number) => -0.5 * z ** 2 - 0.5 * Math.log(2 * Math.PI);
      sum += gauss(states[0]![b]![a]!) - Math.log(1 - Math.tanh(states[K]![b]![a]!) ** 2);
      for (let k = 0; k < K; k++) sum += gauss(kicks[k + 1]![b]![a]!) - logStd[b]![a]!;
    }
    return sum;
  });
  expectClose(path.totalCost, costs, 1e-4);
  expectClose(sampler.actions(observations, noise), [...path.action.dataSync()], 1e-6);
  const detached = sampler.sample(observations, noise, { trajectory: 'detached' });
  expectClose(detached.totalCost, costs, 1e-4);
  sampler.dispose();

  function v(name: string) {
    return sampler.variables[name]!;
  }
});

it('moves with an open gate all the way to its candidate in one step, and stays where the gate is shut', () => {
  const gate = (logit: number) => () => ({
    variables: { unused: tf.variable(tf.scalar(0)) },
    bind: () => (x: tf.Tensor2D) => tf.concat([tf.fill(x.shape, 0.3), tf.fill(x.shape, logit)], 1) as tf.Tensor2D,
    dispose: () => undefined,
  });
  for (const [logit, share] of [
    [30, 1],
    [-5, 0.5],
    [-40, 0],
  ] as const) {
    const sampler = new FlowSampler({ steps: 1, network: gate(logit) }).build(Rng.fromSeed(0), sizes);
    const start = tf.slice(noise, 0, 2);
    const expected = tf.tanh(tf.add(tf.mul(tf.squeeze(tf.slice(noise, 0, 1), [0]), 1 - share), 0.3 * share));
    expectClose(sampler.actions(observations, start, 'ode'), [...expected.dataSync()], 1e-5);
    sampler.dispose();
  }
});

it('is one action an observation when nothing is drawn, and knows groups', () => {
  const sampler = make();
  const [one, other] = [noise, tf.mul(noise, 2)].map((draw) =>
    sampler.actions(observations, draw, 'deterministic').dataSync(),
  );
  expect(one).toEqual(other);
  const twice = tf.concat([noise, noise], 1);
  const path = sampler.sample(tf.slice(observations, 0, B), twice, { groupSize: 2 });
  expect(path.totalCost.shape).toEqual([2 * B]);
  sampler.dispose();
});

it('learns Pendulum under DIME with scalar critics: a mean return over -300, -1,200 at random', {
  timeout: 240_000,
}, async () => {
  const agent = await DimeAgent.create({
    ...{ env: new Pendulum(), seed: 1, gamma: 0.95, batchSize: 64, warmupSteps: 500, updatesPerTransition: 1 },
    ...{ critic: 'scalar', criticHidden: [64, 64], policyDelay: 1, temperature: 0.2 },
    ...{ actorLearningRate: 1e-3, criticLearningRate: 1e-3 },
    sampler: new FlowSampler({
      ...{ steps: 3, stdHidden: [64] },
      network: stepNetwork({ hidden: [64, 64], timeSize: 16, outputs: 2, lastKernel: 'normal' }),
    }),
  });
  await train({ agent, env: new Pendulum(), seed: 1, steps: 3000 });
  const { mean } = await evaluate({ agent, env: new Pendulum(), episodes: 10 });
  expect(mean).toBeGreaterThan(-300);
  agent.dispose();
});
