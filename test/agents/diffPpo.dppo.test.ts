import * as tf from '@tensorflow/tfjs-core';
import {
  Adam,
  clipGlobalNorm,
  DiffPpoAgent,
  LatentValue,
  lossAndGradients,
  Rng,
  type StateDict,
  substate,
  variablesAsState,
} from 'diffrl';
import { expect, it } from 'vitest';
import { nextTransitions, smallSampler, someTransitions, spaces } from './dmerlFixtures.js';

const [LENGTH, ENVS, STEPS] = [4, 8, 3];
const OUTER = LENGTH * ENVS;
const [GAMMA, LAMBDA, CLIP, EPOCHS, RATE] = [0.9, 0.8, 0.05, 3, 0.01];

it('at T = 0 with values of states DiffPPO is PPO over denoising steps, written out by hand (1e-4)', async () => {
  const agent = await DiffPpoAgent.create({
    env: spaces,
    sampler: smallSampler(STEPS),
    valueHidden: [16],
    temperature: 0,
    value: 'state',
    gamma: GAMMA,
    lambda: LAMBDA,
    clip: CLIP,
    clipScaling: 'none',
    epochs: EPOCHS,
    targetChainKl: 100,
    learningRate: RATE,
    rolloutSteps: OUTER,
    minibatchSize: OUTER, // times K: everything in one gradient step
    updateScaling: 'none',
    normaliseObservations: false,
    scaleRewards: false,
    compile: false,
  });
  for (let i = 0, given = someTransitions(0, ENVS); i < LENGTH; given = nextTransitions(given, ++i, ENVS)) {
    const decision = await agent.act(given.observations);
    agent.observe({ ...given, actions: decision.actions }, decision);
  }
  const state = await agent.state();
  const policy = agent.sampler.twin();
  const metrics = await agent.update();
  expect(metrics).toMatchObject({ gradientSteps: EPOCHS });
  expect(metrics.clipFraction).toBeGreaterThan(0.05);

  // Rows [T, K, N]: every denoising step has the advantage of its environment step.
  const rollout = substate(state, 'rollout');
  const observations = tf.tensor3d(rollout.observations!.data as Float32Array, [LENGTH, ENVS, 3]);
  const latents = tf.tensor4d(rollout.latents!.data as Float32Array, [LENGTH, STEPS + 1, ENVS, 2]);
  const rows = (x: tf.Tensor) => tf.reshape(x, [OUTER * STEPS, -1]) as tf.Tensor2D;
  const overSteps = (x: tf.Tensor) => tf.tile(tf.expandDims(x, 1), [1, STEPS, ...x.shape.slice(1).map(() => 1)]);
  const x = rows(tf.slice(latents, [0, 0, 0, 0], [LENGTH, STEPS, ENVS, 2]));
  const next = rows(tf.slice(latents, [0, 1, 0, 0], [LENGTH, STEPS, ENVS, 2]));
  const seen = rows(overSteps(observations));
  const step = tf.reshape(tf.tile(tf.reshape(tf.range(0, STEPS), [1, STEPS, 1]), [LENGTH, 1, ENVS]), [-1]);
  const advantages = overSteps(tf.tensor2d(advantagesByHand(state), [LENGTH, ENVS]));
  const { mean, variance } = tf.moments(advantages);
  const normalised = tf.reshape(tf.div(tf.sub(advantages, mean), tf.sqrt(variance)), [-1]);

  const logDensity = () => {
    const kernels = policy.bind(seen);
    const std = kernels.std(step as tf.Tensor1D);
    const squares = tf.square(tf.div(tf.sub(next, kernels.forwardMean(x, step as tf.Tensor1D)), std));
    return tf.sum(tf.sub(tf.mul(squares, -0.5), tf.log(std)), 1);
  };
  const old = logDensity();
  const adam = new Adam(policy.variables, { learningRate: RATE });
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const { gradients } = lossAndGradients(policy.variables, () => {
      const ratio = tf.exp(tf.sub(logDensity(), old));
      const clipped = tf.minimum(tf.maximum(ratio, 1 - CLIP), 1 + CLIP);
      const surrogate = tf.minimum(tf.mul(ratio, normalised), tf.mul(clipped, normalised));
      return { loss: tf.neg(tf.mean(surrogate)) as tf.Scalar };
    });
    adam.apply(clipGlobalNorm(gradients, 0.5));
  }
  for (const [name, variable] of Object.entries(policy.variables)) {
    const difference = tf.sub(variable, agent.sampler.variables[name]!);
    expect(tf.max(tf.abs(difference)).dataSync()[0], name).toBeLessThan(1e-4);
  }
});

/** Generalised advantages of environment steps, `[T, N]`, from a saved state. */
function advantagesByHand(state: StateDict): number[] {
  const sizes = { observationSize: 3, actionSize: 2, diffusionSteps: STEPS };
  const network = new LatentValue(Rng.fromSeed(0), { ...sizes, hidden: [16] });
  variablesAsState(network.variables).prepare(substate(state, 'value'))();
  const column = (name: string) => Array.from(state[`rollout/${name}`]!.data);
  const valuesOf = (name: string) => {
    const [values] = network.apply(tf.tensor2d(column(name), [OUTER, 3]), tf.zeros([OUTER, 2]), tf.zeros([OUTER]));
    return values!.dataSync();
  };
  const [values, bootstrap] = [valuesOf('observations'), valuesOf('nextObservations')];
  const [rewards, terminated, truncated] = [column('rewards'), column('terminated'), column('truncated')];
  const advantages = new Array<number>(OUTER).fill(0);
  for (let i = OUTER - 1; i >= 0; i--) {
    const isCut = truncated[i] || i + ENVS >= OUTER;
    const nextValue = terminated[i] ? 0 : isCut ? bootstrap[i]! : values[i + ENVS]!;
    const ahead = terminated[i] || isCut ? 0 : advantages[i + ENVS]!;
    advantages[i] = rewards[i]! + GAMMA * nextValue - values[i]! + GAMMA * LAMBDA * ahead;
  }
  return advantages;
}
