import * as tf from '@tensorflow/tfjs-core';
import {
  type DenoisingAgent,
  DpmdAgent,
  dpmdPresets,
  Rng,
  SdacAgent,
  type StateDict,
  sdacPresets,
  substate,
  TwinCritic,
} from 'diffrl';
import { expect, it } from 'vitest';
import { truncatedNormal } from '../../src/ops/truncatedNormal.js';
import { prepareVariables } from '../../src/ops/variables.js';
import { expectClose } from '../close.js';
import { small, smallNetwork } from './denoisingFixtures.js';
import { env, transitions } from './fixtures.js';

const [BATCH, OBSERVATION, ACTION, REVERSE] = [6, 3, 2, 5];
type Sampler = DenoisingAgent['sampler'];

/** The published update computed step by step from an agent's state and its random numbers. */
class ByHand {
  private readonly rng = Rng.fromSeed(0);
  private readonly targetCritic = new TwinCritic(Rng.fromSeed(0), {
    observationSize: OBSERVATION,
    actionSize: ACTION,
    hidden: small.criticHidden,
  });

  constructor(
    private readonly agent: DenoisingAgent,
    state: StateDict,
  ) {
    this.rng.prepare(substate(state, 'noise'))();
    prepareVariables(this.targetCritic.variables, substate(state, 'targetCritic'))();
  }

  normals(shape: number[], std = 1): tf.Tensor {
    return tf.tensor(
      this.rng.normals(
        shape.reduce((size, n) => size * n),
        0,
        std,
      ),
      shape,
    );
  }

  uniforms(shape: number[]): tf.Tensor {
    return tf.tensor(this.rng.uniforms(shape.reduce((size, n) => size * n)), shape);
  }

  steps(): tf.Tensor1D {
    return tf.tensor1d([...this.rng.integers(BATCH, this.agent.sampler.schedule.steps)]);
  }

  /** Of `particles` draws the one that the online critics like best, with noise of a tenth of the noise level. */
  actions(sampler: Sampler, observations: tf.Tensor2D, particles: number): tf.Tensor2D {
    const rows = observations.shape[0];
    const noise = this.normals(sampler.noiseShape(rows * particles));
    const exploration = this.normals([rows, ACTION], 0.1 * this.agent.temperature.value);
    const states = repeated(observations, particles);
    const candidates = sampler.actions(states, noise);
    const values = minimum(this.agent.critic, states, candidates).dataSync();
    const best = Array.from({ length: rows }, (_, row) => {
      const group = Array.from({ length: particles }, (_, i) => row * particles + i);
      return group.reduce((best, i) => (values[i]! > values[best]! ? i : best));
    });
    return tf.add(tf.gather(candidates, best), exploration);
  }

  criticLoss(batch: Batch, nextActions: tf.Tensor2D): number {
    const next = minimum(this.targetCritic, batch.nextObservations, nextActions);
    const target = tf.add(tf.mul(batch.rewards, 0.2), tf.mul(tf.mul(tf.sub(1, batch.terminated), 0.99), next));
    const values = this.agent.critic.apply(batch.observations, batch.actions);
    return values.reduce((sum, value) => sum + tf.mean(tf.square(tf.sub(value, target))).dataSync()[0]!, 0);
  }

  /** Squared error of the predicted noise, rows weighted. */
  policyLoss(noised: tf.Tensor2D, observations: tf.Tensor2D, step: tf.Tensor1D, target: tf.Tensor, weights: tf.Tensor) {
    const error = tf.square(tf.sub(this.agent.sampler.predictNoise(noised, observations, step), target));
    return tf.mean(tf.mul(error, tf.reshape(weights, [-1, 1]))).dataSync()[0]!;
  }

  /** The weighted mean of the reverse samples' noise, by loops over rows and samples. */
  reverseTarget(
    noised: tf.Tensor2D,
    observations: tf.Tensor2D,
    step: tf.Tensor1D,
    noiseOf: (row: number, sample: number, entry: number) => number,
    exponentOf: (values: number[][]) => number[][],
  ): tf.Tensor2D {
    const [x, steps] = [noised.arraySync(), step.arraySync()];
    const noise = x.map((_, row) => range(REVERSE).map((k) => range(ACTION).map((j) => noiseOf(row, k, j))));
    const clean = noise.map((samples, row) =>
      samples.map((e) => {
        const kept = this.agent.sampler.schedule.alphaBars[steps[row]!]!;
        return e.map((value, j) => {
          const point = (x[row]![j]! - Math.sqrt(1 - kept) * value) / Math.sqrt(kept);
          return Math.min(Math.max(point, -1), 1);
        });
      }),
    );
    const values = minimum(this.agent.critic, repeated(observations, REVERSE), tf.tensor2d(clean.flat())).arraySync();
    const exponents = exponentOf(x.map((_, row) => values.slice(row * REVERSE, (row + 1) * REVERSE)));
    const weights = exponents.map((row) => {
      const shares = row.map((value) => Math.exp(value - Math.max(...row)));
      return shares.map((share) => share / shares.reduce((sum, each) => sum + each));
    });
    return tf.tensor2d(
      weights.map((row, i) => range(ACTION).map((j) => row.reduce((sum, w, k) => sum + w * noise[i]![k]![j]!, 0))),
    );
  }

  noised(clean: tf.Tensor2D, noise: tf.Tensor, step: tf.Tensor1D): tf.Tensor2D {
    const kept = step.arraySync().map((i) => [this.agent.sampler.schedule.alphaBars[i]!]);
    return tf.add(tf.mul(clean, tf.sqrt(tf.tensor2d(kept))), tf.mul(noise, tf.sqrt(tf.sub(1, tf.tensor2d(kept)))));
  }
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const repeated = (x: tf.Tensor2D, times: number): tf.Tensor2D =>
  tf.gather(
    x,
    range(x.shape[0] * times).map((i) => Math.floor(i / times)),
  );
const minimum = (critic: Pick<TwinCritic, 'apply'>, observations: tf.Tensor2D, actions: tf.Tensor2D): tf.Tensor1D =>
  tf.minimum(...critic.apply(observations, actions));

type Batch = ReturnType<typeof tensors>;
const data = {
  ...transitions(7, BATCH),
  actions: Rng.fromSeed(8).uniforms(BATCH * ACTION, -1, 1),
  terminated: Float32Array.of(0, 1, 0, 0, 1, 0),
  truncated: new Float32Array(BATCH),
};
function tensors() {
  return {
    observations: tf.tensor2d(data.observations, [BATCH, OBSERVATION]),
    actions: tf.tensor2d(data.actions, [BATCH, ACTION]),
    rewards: tf.tensor1d(data.rewards),
    nextObservations: tf.tensor2d(data.nextObservations, [BATCH, OBSERVATION]),
    terminated: tf.tensor1d(data.terminated),
  };
}

const shared = { ...small, batchSize: BATCH, criticActivation: undefined };
const options = { ...shared, reverseSamples: REVERSE };

/** An agent whose online and target networks have come apart, and what its next update, one of the policy, starts from. */
async function prepared<A extends DenoisingAgent>(created: Promise<A>) {
  const agent = await created;
  agent.observe(transitions(0), null);
  for (let i = 0; i < 4; i++) await agent.learn();
  return { agent, batch: tensors(), state: await agent.state() };
}

/** Losses by hand before the update, the agent's own after; then the moving averages. */
async function expectUpdate(agent: DenoisingAgent, state: StateDict, expected: { critic: number; policy: number }) {
  const metrics = await agent.learn(data);
  expect(metrics.criticLoss).toBeCloseTo(expected.critic, 5);
  expect(metrics.policyLoss).toBeCloseTo(expected.policy, 5);
  const after = await agent.state();
  for (const [target, online] of [
    ['targetPolicy', 'policy'],
    ['targetCritic', 'critic'],
  ] as const) {
    for (const [name, { data }] of Object.entries(substate(after, online))) {
      const before = state[`${target}/${name}`]!.data;
      const moved = Array.from(data, (value, i) => 0.995 * before[i]! + 0.005 * value);
      expectClose(after[`${target}/${name}`]!.data, moved, 1e-6);
    }
  }
}

it('SDAC by default: next states, truncated proposal, values over their spread', async () => {
  const { agent, batch, state } = await prepared(SdacAgent.create(options));
  const hand = new ByHand(agent, state);
  const next = tf.clipByValue(
    hand.actions(agent.sampler, batch.nextObservations, agent.options.targetParticles),
    -1,
    1,
  );
  const step = hand.steps();
  const noised = hand.noised(next, hand.normals([BATCH, ACTION]), step);
  const uniform = hand.uniforms([BATCH, ACTION, REVERSE]);
  const kept = tf.tensor3d(step.arraySync().map((i) => [[agent.sampler.schedule.alphaBars[i]!]]));
  const edge = (bound: number) =>
    tf.div(tf.sub(tf.expandDims(noised, 2), tf.mul(tf.sqrt(kept), bound)), tf.sqrt(tf.sub(1, kept)));
  const drawn = truncatedNormal(edge(1), edge(-1), uniform).arraySync() as number[][][];
  const [sum, weight] = ['sum', 'weight'].map((name) => state[`policyTarget/${name}`]!.data[0]!);
  const target = hand.reverseTarget(
    noised,
    batch.nextObservations,
    step,
    (row, k, j) => drawn[row]![j]![k]!,
    (values) => {
      const deviations = values.map((row) => {
        const mean = row.reduce((total, value) => total + value) / REVERSE;
        return row.reduce((total, value) => total + (value - mean) ** 2, 0) / REVERSE;
      });
      const spread = Math.sqrt(deviations.reduce((total, value) => total + value) / BATCH);
      const average = (0.99 * sum! + 0.01 * spread) / (0.99 * weight! + 0.01);
      return values.map((row) => row.map((value) => (5 * value) / (agent.temperature.value * average)));
    },
  );
  await expectUpdate(agent, state, {
    critic: hand.criticLoss(batch, next),
    policy: hand.policyLoss(noised, batch.nextObservations, step, target, tf.ones([BATCH])),
  });
});

it('SDAC as released: current states, whole Gaussian clipped to the box, plain values, actions as they are', async () => {
  const preset = { ...sdacPresets.released, diffusion: { ...sdacPresets.released.diffusion, network: smallNetwork } };
  const { agent, batch, state } = await prepared(
    SdacAgent.create({ ...preset, ...options, diffusion: preset.diffusion }),
  );
  const hand = new ByHand(agent, state);
  const next = hand.actions(agent.sampler, batch.nextObservations, agent.options.targetParticles);
  const step = hand.steps();
  const forward = hand.normals([BATCH, ACTION]);
  const reverse = hand.normals([BATCH, ACTION, REVERSE]).arraySync() as number[][][];
  const noised = hand.noised(
    hand.actions(agent.sampler, batch.observations, agent.options.targetParticles),
    forward,
    step,
  );
  const target = hand.reverseTarget(
    noised,
    batch.observations,
    step,
    (row, k, j) => reverse[row]![j]![k]!,
    (values) => values.map((row) => row.map((value) => (5 / agent.temperature.value) * value)),
  );
  await expectUpdate(agent, state, {
    critic: hand.criticLoss(batch, next),
    policy: hand.policyLoss(noised, batch.observations, step, target, tf.ones([BATCH])),
  });
});

it('DPMD as submitted, but for its second critic step: next states, exponential of clipped values', async () => {
  const diffusion = { ...dpmdPresets.submission.diffusion, network: smallNetwork };
  const create = DpmdAgent.create({ ...dpmdPresets.submission, ...shared, diffusion, criticSteps: 1 });
  const { agent, batch, state } = await prepared(create);
  const hand = new ByHand(agent, state);
  const next = hand.actions(agent.sampler, batch.nextObservations, agent.options.targetParticles);
  const step = hand.steps();
  const noise = hand.normals([BATCH, ACTION]);
  const [mean, std] = ['mean', 'std'].map((name) => state[`policyTarget/${name}`]!.data[0]!);
  const values = minimum(agent.critic, batch.nextObservations, next);
  const weights = tf.exp(tf.div(tf.clipByValue(tf.sub(values, mean! / std!), -3, 3), agent.temperature.value));
  await expectUpdate(agent, state, {
    critic: hand.criticLoss(batch, next),
    policy: hand.policyLoss(hand.noised(next, noise, step), batch.nextObservations, step, noise, weights),
  });
});

it('acting: the moving average of the policy, the online critics, noise of a tenth of the noise level', async () => {
  const { agent, state } = await prepared(
    SdacAgent.create({ ...options, targetRate: 0.3, temperature: { initial: 0.7 } }),
  );
  const hand = new ByHand(agent, state);
  const observations = Rng.fromSeed(3).normals(4 * OBSERVATION);
  const expected = tf.clipByValue(
    hand.actions(agent.targetSampler, tf.tensor2d(observations, [4, OBSERVATION]), 3),
    -1,
    1,
  );
  const { low, high } = env.actionSpace;
  const inUnits = expected.dataSync().map((a, i) => low[i % 2]! + ((a + 1) / 2) * (high[i % 2]! - low[i % 2]!));
  expectClose((await agent.act(observations)).actions, inUnits, 1e-5);
});
