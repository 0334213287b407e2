/** One whole update of Diffusion-QL and Consistency-AC, written out with formulas of their papers. */
import * as tf from '@tensorflow/tfjs-core';
import { ConsistencyAcAgent, ConsistencySampler, DiffusionQlAgent, Rng } from 'diffrl';
import { expect, it } from 'vitest';
import {
  A,
  actions,
  B,
  batch,
  bellman,
  common,
  critics,
  descend,
  moved,
  next,
  noise,
  observations,
  of,
  RATE,
  type Vars,
} from './oneReplayUpdate.js';
import { dense, expectMoved, variablesOf } from './oneUpdate.js';

const K = 3;
const mish = (x: tf.Tensor) => tf.mul(x, tf.tanh(tf.log(tf.add(1, tf.exp(x)))));
const { q, smaller, squaredErrors } = critics(mish);
const options = {
  ...{ ...common, criticHidden: [8], policyHidden: [8], diffusionSteps: K, averageAfter: 0, averageEvery: 1 },
  ...{ policyLearningRate: RATE, criticLearningRate: 2 * RATE, maxGradientNorm: 1e9 },
};
const ofChain = (seed: number) => ({ data: Rng.fromSeed(seed).normals(K * B * A), shape: [K, B, A] });
const layers = (seed: number) => tf.unstack(tf.tensor3d(Array.from(ofChain(seed).data), [K, B, A])) as tf.Tensor2D[];
const [chains, side] = [
  { nextNoise: ofChain(1), currentNoise: ofChain(2) },
  { data: Float32Array.of(1), shape: [] },
];

/** The network of Diffusion-QL at times `t`, one a row. */
function network(v: Vars, x: tf.Tensor, s: tf.Tensor2D, t: number[]): tf.Tensor2D {
  const features = t.map((time) => {
    const angles = Array.from({ length: 8 }, (_, j) => time / 10_000 ** (j / 7));
    return [...angles.map(Math.sin), ...angles.map(Math.cos)];
  });
  const time = dense(v, tf.tensor2d(features), mish, 'time/mlp/');
  return dense(v, tf.concat([x, s, time], 1) as tf.Tensor2D, mish, 'trunk/');
}
const rows = (value: number) => new Array<number>(B).fill(value);

/** The mean value by the first critic over the mean size by the second's, which is a constant. */
function climbed(critic: Vars, action: tf.Tensor2D): tf.Tensor {
  const size = tf.mean(tf.abs(q(critic, 1, observations, action))).dataSync()[0] as number;
  return tf.div(tf.mean(q(critic, 0, observations, action)), size);
}

it("Diffusion-QL's update (1e-5)", async () => {
  const eta = 0.7;
  const agent = await DiffusionQlAgent.create({ ...options, eta });
  const step = [0, 1, 2, 0, 1, 2];
  const before = await agent.state();
  const forwardNoise = { data: noise(3), shape: [B, A] };
  await agent.learn(batch, { ...chains, side, forwardNoise, step: { data: Float32Array.from(step), shape: [B] } });
  const after = await agent.state();
  const parts = ['policy', 'averagePolicy', 'critic', 'targetCritic'];
  const [policy, average, critic, target] = parts.map((part) => variablesOf(before, part)) as Vars[];

  const betas = [1, 2, 3].map((t) => 1 - Math.exp(-0.1 / K - (0.5 * 9.9 * (2 * t - 1)) / K ** 2));
  const bars = betas.map((_, i) => betas.slice(0, i + 1).reduce((product, beta) => product * (1 - beta), 1));
  const act = (v: Vars, s: tf.Tensor2D, [start, ...kicks]: tf.Tensor2D[]) => {
    let x: tf.Tensor = tf.mul(start!, Math.sqrt(1 - bars[K - 1]!));
    for (let i = K - 1; i >= 0; i--) {
      const [bar, kept, beta] = [bars[i]!, bars[i - 1] ?? 1, betas[i]!];
      const guess = tf.div(tf.sub(x, tf.mul(network(v, x, s, rows(i)), Math.sqrt(1 - bar))), Math.sqrt(bar));
      const clean = tf.mul(tf.clipByValue(guess, -1, 1), (Math.sqrt(kept) * beta) / (1 - bar));
      x = tf.add(clean, tf.mul(x, (Math.sqrt(1 - beta) * (1 - kept)) / (1 - bar)));
      if (i > 0) x = tf.add(x, tf.mul(kicks[K - 1 - i]!, Math.sqrt((beta * (1 - kept)) / (1 - bar))));
    }
    return x as tf.Tensor2D;
  };
  descend(critic!, 2 * RATE, () =>
    squaredErrors(critic!, bellman(smaller(target!, next, act(average!, next, layers(1))))),
  );
  const signal = tf.tensor2d(
    step.map((i) => Math.sqrt(bars[i]!)),
    [B, 1],
  );
  const spread = tf.tensor2d(
    step.map((i) => Math.sqrt(1 - bars[i]!)),
    [B, 1],
  );
  const noised = tf.add(tf.mul(signal, actions), tf.mul(spread, of(noise(3))));
  descend(policy!, RATE, () => {
    const errors = tf.sub(network(policy!, noised, observations, step), of(noise(3)));
    const value = climbed(critic!, act(policy!, observations, layers(2)));
    return tf.sub(tf.mean(tf.square(errors)), tf.mul(value, eta));
  });
  expectMoved(before, after, 'critic', critic!, 1e-5);
  expectMoved(before, after, 'policy', policy!, 1e-5);
  expectMoved(before, after, 'averagePolicy', moved(average!, policy!), 1e-5);
  expectMoved(before, after, 'targetCritic', moved(target!, critic!), 1e-5);
  agent.dispose();
});

it("Consistency-AC's update (1e-5)", async () => {
  const agent = await ConsistencyAcAgent.create({ ...options, firstTime: 3 });
  const before = await agent.state();
  await agent.learn(batch, { ...chains, side });
  const after = await agent.state();
  const parts = ['policy', 'averagePolicy', 'critic', 'targetCritic'];
  const [policy, average, critic, target] = parts.map((part) => variablesOf(before, part)) as Vars[];
  const act = (v: Vars, s: tf.Tensor2D, [start, ...kicks]: tf.Tensor2D[]) => {
    const clean = (x: tf.Tensor, t: number) => {
      const skipped = tf.mul(x, 0.25 / ((t - 0.002) ** 2 + 0.25));
      return tf.add(skipped, tf.mul(network(v, x, s, rows(t)), (0.5 * (t - 0.002)) / Math.sqrt(t ** 2 + 0.25)));
    };
    const first = clean(tf.mul(start!, 3), 3);
    const second = clean(tf.add(first, tf.mul(kicks[0]!, Math.sqrt(2.5 ** 2 - 0.002 ** 2))), 2.5);
    const third = clean(tf.add(second, tf.mul(kicks[1]!, Math.sqrt(2 ** 2 - 0.002 ** 2))), 2);
    return tf.clipByValue(third, -1, 1) as tf.Tensor2D;
  };
  descend(critic!, 2 * RATE, () =>
    squaredErrors(critic!, bellman(smaller(target!, next, act(average!, next, layers(1))))),
  );
  descend(policy!, RATE, () => tf.neg(climbed(critic!, act(policy!, observations, layers(2)))));
  expectMoved(before, after, 'critic', critic!, 1e-5);
  expectMoved(before, after, 'policy', policy!, 1e-5);
  expectMoved(before, after, 'averagePolicy', moved(average!, policy!), 1e-5);
  expectMoved(before, after, 'targetCritic', moved(target!, critic!), 1e-5);
  agent.dispose();
});

it('a consistency function leaves actions as they are at their own noise level', () => {
  const sampler = new ConsistencySampler({ steps: 3 });
  expect(sampler.coefficients(0.002)).toEqual({ skip: 1, out: 0 });
  expect(sampler.times).toEqual([80, 41, 2]);
  expect(() => new ConsistencySampler({ lastTime: 90 })).toThrow('lastTime must be a number > 0.002 and <= 80');
});
