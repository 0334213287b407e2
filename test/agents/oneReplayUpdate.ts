/** What tests of one whole update of agents that learn from replay share: a batch, and the formulas of their papers. */
import * as tf from '@tensorflow/tfjs-core';
import { Adam, lossAndGradients, Rng } from 'diffrl';
import { env, transitions } from './fixtures.js';
import { dense } from './oneUpdate.js';

export const [B, A, GAMMA, RATE, MOVE] = [6, 2, 0.9, 0.01, 0.3];
export const common = { env, compile: false, batchSize: B, gamma: GAMMA, targetRate: MOVE, seed: 2 } as const;
export const batch = (() => {
  const rng = Rng.fromSeed(5);
  const ends = { terminated: Float32Array.of(0, 1, 0, 0, 0, 0), truncated: Float32Array.of(0, 0, 1, 0, 0, 0) };
  return { ...transitions(1, B), ...ends, actions: rng.uniforms(B * A, -1, 1) };
})();
export const noise = (seed: number) => Rng.fromSeed(seed).normals(B * A);
export const of = (data: ArrayLike<number>) => tf.tensor2d(Array.from(data), [B, data.length / B]);
export const [observations, actions, next] = [of(batch.observations), of(batch.actions), of(batch.nextObservations)];
export const alive = tf.sub(1, tf.tensor1d(batch.terminated));

export type Vars = Record<string, tf.Variable>;

/** One step of Adam down `loss`. */
export function descend(variables: Vars, rate: number, loss: () => tf.Tensor, options = {}): void {
  const { gradients } = lossAndGradients(variables, () => ({ loss: loss() as tf.Scalar }));
  new Adam(variables, { learningRate: rate, ...options }).apply(gradients);
}

export const relu = (x: tf.Tensor) => tf.relu(x);

/** Twin perceptrons as critics. */
export function critics(activation: (x: tf.Tensor) => tf.Tensor) {
  const q = (critic: Vars, head: number, s: tf.Tensor2D, a: tf.Tensor2D) =>
    tf.squeeze<tf.Tensor1D>(dense(critic, tf.concat([s, a], 1), activation, `head${head}/`), [1]);
  return {
    q,
    smaller: (critic: Vars, s: tf.Tensor2D, a: tf.Tensor2D) => tf.minimum(q(critic, 0, s, a), q(critic, 1, s, a)),
    squaredErrors: (critic: Vars, target: tf.Tensor) =>
      tf.addN([0, 1].map((head) => tf.mean(tf.square(tf.sub(q(critic, head, observations, actions), target))))),
  };
}

export const bellman = (value: tf.Tensor) => tf.add(tf.tensor1d(batch.rewards), tf.mul(tf.mul(alive, GAMMA), value));
export const moved = (target: Vars, source: Vars) => {
  const entries = Object.entries(target).map(([name, variable]) => {
    return [name, tf.add(tf.mul(variable, 1 - MOVE), tf.mul(source[name]!, MOVE))];
  });
  return Object.fromEntries(entries) as Record<string, tf.Tensor>;
};

/** A squashed draw and its log-density by the change of variables. */
export function draw(mean: tf.Tensor, logStd: tf.Tensor, z: tf.Tensor) {
  const u = tf.add(mean, tf.mul(tf.exp(logStd), z));
  const size = tf.abs(u);
  const logSlope = tf.sub(Math.log(4), tf.mul(2, tf.add(size, tf.log(tf.add(1, tf.exp(tf.mul(size, -2)))))));
  const gaussian = tf.sub(tf.mul(tf.square(z), -0.5), tf.add(logStd, 0.5 * Math.log(2 * Math.PI)));
  return { action: tf.tanh(u) as tf.Tensor2D, logDensity: tf.sum(tf.sub(gaussian, logSlope), 1) };
}
