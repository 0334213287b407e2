/** One update of PPO and of DPPO, computed by other formulas in plain numbers or by TensorFlow.js's own gradients. */
import * as tf from '@tensorflow/tfjs-core';
import {
  Adam,
  type Agent,
  clipGlobalNorm,
  DppoAgent,
  type Env,
  lossAndGradients,
  PpoAgent,
  type StateDict,
} from 'diffrl';
import { expect, it } from 'vitest';
import { nextTransitions, someTransitions, spaces } from './dmerlFixtures.js';
import { dense, expectMoved, variablesOf } from './oneUpdate.js';

const [LENGTH, ENVS] = [4, 8];
const ROWS = LENGTH * ENVS;
const [GAMMA, LAMBDA, CLIP, EPOCHS, RATE] = [0.9, 0.8, 0.05, 3, 0.01];
const options = {
  ...{
    env: spaces as unknown as Env,
    gamma: GAMMA,
    lambda: LAMBDA,
    clip: CLIP,
    epochs: EPOCHS,
    compile: false,
    seed: 3,
  },
  ...{ rolloutSteps: ROWS, normaliseObservations: false, scaleRewards: false, maxGradientNorm: 0.5 },
} as const;

/** The state before an update that learns from all of a rollout at once. */
async function beforeUpdate(agent: Agent): Promise<StateDict> {
  for (let i = 0, given = someTransitions(0, ENVS); i < LENGTH; given = nextTransitions(given, ++i, ENVS)) {
    const decision = await agent.act(given.observations);
    agent.observe({ ...given, actions: decision.actions }, decision);
  }
  return agent.state();
}

const column = (state: StateDict, name: string) => Array.from(state[`rollout/${name}`]!.data, Number);

/** Advantages and returns of environment steps, `[T * N]`. */
function gae(state: StateDict, valueAt: (observations: tf.Tensor2D) => tf.Tensor) {
  const valuesOf = (name: string) => valueAt(tf.tensor2d(column(state, name), [ROWS, 3])).dataSync();
  const [values, bootstrap] = [valuesOf('observations'), valuesOf('nextObservations')];
  const [rewards, terminated, truncated] = ['rewards', 'terminated', 'truncated'].map((name) => column(state, name));
  const advantages = new Array<number>(ROWS).fill(0);
  for (let i = ROWS - 1; i >= 0; i--) {
    const isCut = truncated![i] || i + ENVS >= ROWS;
    const nextValue = terminated![i] ? 0 : isCut ? bootstrap[i]! : values[i + ENVS]!;
    const ahead = terminated![i] || isCut ? 0 : advantages[i + ENVS]!;
    advantages[i] = rewards![i]! + GAMMA * nextValue - values[i]! + GAMMA * LAMBDA * ahead;
  }
  return { advantages, returns: advantages.map((advantage, i) => advantage + values[i]!) };
}

/** Gradient steps of the surrogate on all rows, with normalised advantages. */
function climb(variables: tf.NamedTensorMap, logDensity: () => tf.Tensor, advantages: tf.Tensor, rate: number) {
  const { mean, variance } = tf.moments(advantages);
  const normalised = tf.div(tf.sub(advantages, mean), tf.sqrt(variance));
  const old = logDensity();
  const adam = new Adam(variables as Record<string, tf.Variable>, { learningRate: rate });
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const { gradients } = lossAndGradients(variables as Record<string, tf.Variable>, () => {
      const ratio = tf.exp(tf.sub(logDensity(), old));
      const clipped = tf.minimum(tf.maximum(ratio, 1 - CLIP), 1 + CLIP);
      return { loss: tf.neg(tf.mean(tf.minimum(tf.mul(ratio, normalised), tf.mul(clipped, normalised)))) as tf.Scalar };
    });
    adam.apply(clipGlobalNorm(gradients, 0.5));
  }
}

it("PPO's update is the clipped surrogate and the squared error, written out (1e-4)", async () => {
  const agent = await PpoAgent.create({ ...options, hidden: [8], minibatchSize: ROWS, learningRate: RATE });
  const before = await beforeUpdate(agent);
  expect(await agent.update()).toMatchObject({ gradientSteps: EPOCHS });
  const after = await agent.state();

  const value = variablesOf(before, 'value');
  const observations = tf.tensor2d(column(before, 'observations'), [ROWS, 3]);
  const valueAt = (x: tf.Tensor2D) => tf.reshape(dense(value, x, tf.tanh), [-1]);
  const { advantages, returns } = gae(before, valueAt);

  const actor = variablesOf(before, 'actor');
  const latents = tf.tensor4d(column(before, 'latents'), [LENGTH, 2, ENVS, 2]);
  const drawn = tf.reshape(tf.slice(latents, [0, 1, 0, 0], [LENGTH, 1, ENVS, 2]), [ROWS, 2]);
  const logDensity = () => {
    const z = tf.div(tf.sub(drawn, dense(actor, observations, tf.tanh)), tf.exp(actor.logStd!));
    return tf.sub(tf.mul(tf.sum(tf.square(z), 1), -0.5), tf.sum(actor.logStd!));
  };
  climb(actor, logDensity, tf.tensor1d(advantages), RATE);
  expectMoved(before, after, 'actor', actor, 1e-4);

  const adam = new Adam(value, { learningRate: RATE });
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const { gradients } = lossAndGradients(value, () => ({
      loss: tf.mul(tf.mean(tf.square(tf.sub(valueAt(observations), returns))), 0.5) as tf.Scalar,
    }));
    adam.apply(clipGlobalNorm(gradients, 0.5));
  }
  expectMoved(before, after, 'value', value, 1e-4);
  agent.dispose();
});

// With deviations of 0.02 densities of entries exceed 2 where the noise is small, and are clamped.
it.each([0.1, 0.02])("DPPO's update, minStd %d: denoising steps have their step's advantage (1e-4)", async (minStd) => {
  const [STEPS, DISCOUNT] = [3, 0.7];
  const agent = await DppoAgent.create({
    ...{ ...options, diffusionSteps: STEPS, policyHidden: [8], valueHidden: [8], denoisingDiscount: DISCOUNT },
    ...{ minibatchSize: ROWS * STEPS, actorLearningRate: RATE, targetKl: 100, minStd },
  });
  const before = await beforeUpdate(agent);
  const policy = agent.sampler.twin();
  await agent.update();
  const after = await agent.state();

  const value = variablesOf(before, 'value');
  const mish = (x: tf.Tensor) => tf.mul(x, tf.tanh(tf.softplus(x)));
  const { advantages } = gae(before, (x) => dense(value, x, mish));
  // Rows step by step: [K, T * N].
  const latents = tf.transpose(tf.tensor4d(column(before, 'latents'), [LENGTH, STEPS + 1, ENVS, 2]), [1, 0, 2, 3]);
  const states = tf.unstack(tf.reshape(latents, [STEPS + 1, ROWS, 2])) as tf.Tensor2D[];
  const observations = tf.tensor2d(column(before, 'observations'), [ROWS, 3]);
  const { mean, variance } = tf.moments(advantages);
  const normalised = tf.div(tf.sub(advantages, mean), tf.sqrt(variance));

  const logDensity = (k: number) => {
    const kernels = policy.bind(observations);
    const std = Math.max((kernels.std(k).dataSync()[0] as number) ?? 0, minStd);
    const z = tf.div(tf.sub(states[k + 1]!, kernels.forwardMean(states[k]!, k)), std);
    const perEntry = tf.sub(tf.mul(tf.square(z), -0.5), Math.log(std) + 0.5 * Math.log(2 * Math.PI));
    return tf.mean(tf.clipByValue(perEntry, -5, 2), 1);
  };
  const steps = [0, 1, 2];
  const old = steps.map(logDensity);
  const adam = new Adam(policy.variables, { learningRate: RATE });
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const { gradients } = lossAndGradients(policy.variables, () => {
      const losses = steps.map((k) => {
        const ratio = tf.exp(tf.sub(logDensity(k), old[k]!));
        const weighted = tf.mul(normalised, DISCOUNT ** (STEPS - 1 - k));
        return tf.minimum(tf.mul(ratio, weighted), tf.mul(tf.clipByValue(ratio, 1 - CLIP, 1 + CLIP), weighted));
      });
      return { loss: tf.neg(tf.mean(tf.stack(losses))) as tf.Scalar };
    });
    adam.apply(clipGlobalNorm(gradients, 0.5));
  }
  expectMoved(before, after, 'actor', policy.variables, 1e-4);
  agent.dispose();
});

it('cuts episodes that do not go on where they were, as after resuming in an environment without state', async () => {
  const first = someTransitions(0, ENVS);
  const next = nextTransitions(first, 1, ENVS).observations;
  const elsewhere = next.map((value, j) => (j < 3 ? value + 1 : value));
  for (const [observations, expected] of [
    [next, first.truncated],
    [elsewhere, [1, ...first.truncated.slice(1)]],
  ] as const) {
    const agent = await PpoAgent.create({ ...options, normaliseObservations: true, rolloutSteps: 100 });
    const decision = await agent.act(first.observations);
    agent.observe({ ...first, actions: decision.actions }, decision);
    await agent.act(observations);
    expect(column(await agent.state(), 'truncated')).toEqual([...expected]);
    agent.dispose();
  }
});
