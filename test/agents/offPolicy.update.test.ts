/** One whole update of SAC, TD3, CrossQ, BRO and WPO, written out with formulas of their papers and TensorFlow.js's own gradients. */
import * as tf from '@tensorflow/tfjs-core';
import { Adam, BroAgent, CrossQAgent, lossAndGradients, Rng, SacAgent, Td3Agent, WpoAgent } from 'diffrl';
import { expect, it } from 'vitest';
import {
  A,
  actions,
  alive,
  B,
  batch,
  bellman,
  common,
  critics,
  descend,
  draw,
  GAMMA,
  moved,
  next,
  noise,
  observations,
  of,
  RATE,
  relu,
  type Vars,
} from './oneReplayUpdate.js';
import { dense, expectMoved, variablesOf } from './oneUpdate.js';

const { q, smaller, squaredErrors } = critics(relu);

it("SAC's update (1e-5)", async () => {
  const rates = { actorLearningRate: RATE, criticLearningRate: 2 * RATE, temperatureLearningRate: RATE };
  const agent = await SacAgent.create({ ...common, hidden: [8], temperature: 0.5, ...rates });
  const before = await agent.state();
  await agent.learn(batch, { next: noise(1), current: noise(2) });
  const after = await agent.state();
  const [actor, critic, target] = ['actor', 'critic', 'targetCritic'].map((part) =>
    variablesOf(before, part),
  ) as Vars[];
  const sample = (s: tf.Tensor2D, seed: number) => {
    const [mean, logStd] = tf.split(dense(actor!, s, relu), 2, 1);
    return draw(mean!, logStd!, of(noise(seed)));
  };
  const following = sample(next, 1);
  const soft = tf.sub(smaller(target!, next, following.action), tf.mul(following.logDensity, 0.5));
  descend(critic!, 2 * RATE, () => squaredErrors(critic!, bellman(soft)));
  const entropyBefore = -(tf.mean(sample(observations, 2).logDensity).dataSync()[0] as number);
  descend(actor!, RATE, () => {
    const { action, logDensity } = sample(observations, 2);
    return tf.mean(tf.sub(tf.mul(logDensity, 0.5), smaller(critic!, observations, action)));
  });
  expectMoved(before, after, 'critic', critic!, 1e-5);
  expectMoved(before, after, 'actor', actor!, 1e-5);
  expectMoved(before, after, 'targetCritic', moved(target!, critic!), 1e-5);
  // Adam's first step is one learning rate, down where the entropy is above -A.
  const direction = entropyBefore > -A ? -1 : 1;
  expect(after['temperature/log']!.data[0]).toBeCloseTo(Math.log(0.5) + direction * RATE, 5);
  agent.dispose();
});

it("TD3's update with its delayed part (1e-5)", async () => {
  const agent = await Td3Agent.create({
    ...{ ...common, hidden: [8], policyDelay: 1, actorLearningRate: RATE, criticLearningRate: 2 * RATE },
    ...{ targetNoise: 0.4, targetNoiseLimit: 0.3 },
  });
  const before = await agent.state();
  await agent.learn(batch, noise(1));
  const after = await agent.state();
  const parts = ['actor', 'targetActor', 'critic', 'targetCritic'];
  const [actor, targetActor, critic, target] = parts.map((part) => variablesOf(before, part)) as Vars[];
  const act = (variables: Vars, s: tf.Tensor2D) => tf.tanh(dense(variables, s, relu)) as tf.Tensor2D;
  const smoothing = tf.clipByValue(tf.mul(of(noise(1)), 0.4), -0.3, 0.3);
  const following = tf.clipByValue(tf.add(act(targetActor!, next), smoothing), -1, 1) as tf.Tensor2D;
  descend(critic!, 2 * RATE, () => squaredErrors(critic!, bellman(smaller(target!, next, following))));
  descend(actor!, RATE, () => tf.neg(tf.mean(q(critic!, 0, observations, act(actor!, observations)))));
  expectMoved(before, after, 'critic', critic!, 1e-5);
  expectMoved(before, after, 'actor', actor!, 1e-5);
  expectMoved(before, after, 'targetActor', moved(targetActor!, actor!), 1e-5);
  expectMoved(before, after, 'targetCritic', moved(target!, critic!), 1e-5);
  agent.dispose();
});

it("CrossQ's update with its delayed part (1e-5)", async () => {
  const { targetRate: _, ...shared } = common;
  const agent = await CrossQAgent.create({
    ...{ ...shared, actorHidden: [8], criticHidden: [8], policyDelay: 1, temperature: 0.5 },
    ...{ actorLearningRate: RATE, criticLearningRate: 2 * RATE },
  });
  const before = await agent.state();
  await agent.learn(batch, { next: noise(1), current: noise(2) });
  const after = await agent.state();
  const [actor, critic] = ['actor', 'critic'].map((part) => variablesOf(before, part)) as Vars[];
  const learned = (v: Vars) =>
    Object.fromEntries(Object.entries(v).filter(([name]) => !/(mean|variance|steps)$/.test(name)));
  type Moments = { mean: tf.Tensor; variance: tf.Tensor };
  const ofBatch = (x: tf.Tensor): Moments => tf.moments(x, 0);
  const start = (): Moments => ({ mean: tf.scalar(0), variance: tf.scalar(1) });
  /** Normalised by `momentsOf` a layer's input: norm, dense, ReLU, norm, dense. */
  const net = (v: Vars, prefix: string, x: tf.Tensor, momentsOf: (x: tf.Tensor, layer: number) => Moments) => {
    let y = x;
    for (const i of [0, 1]) {
      const seen = i === 0 ? y : tf.relu(y);
      const { mean, variance } = momentsOf(seen, i);
      const normal = tf.div(tf.sub(seen, mean), tf.sqrt(tf.add(variance, 1e-3)));
      const scaled = tf.add(tf.mul(normal, v[`${prefix}norm${i}/scale`]!), v[`${prefix}norm${i}/bias`]!);
      y = tf.add(tf.dot(scaled, v[`${prefix}kernel${i}`]!), v[`${prefix}bias${i}`]!);
    }
    return y;
  };
  const sample = (s: tf.Tensor2D, seed: number, momentsOf: Parameters<typeof net>[3]) => {
    const [mean, logStd] = tf.split(net(actor!, '', s, momentsOf), 2, 1);
    return draw(mean!, logStd!, of(noise(seed)));
  };
  const following = sample(next, 1, start);
  const pairs = tf.concat([tf.concat([observations, actions], 1), tf.concat([next, following.action], 1)]);
  const running: Moments[][] = [[], []];
  const heads = () =>
    [0, 1].map((head) => {
      const output = net(critic!, `head${head}/`, pairs, (x, layer) => {
        const { mean, variance } = ofBatch(x);
        running[head]![layer] = { mean: tf.mul(mean, 0.01), variance: tf.add(0.99, tf.mul(variance, 0.01)) };
        return { mean, variance };
      });
      return tf.split(tf.squeeze(output, [1]), 2);
    });
  const [one, two] = heads();
  const soft = tf.sub(tf.minimum(one![1]!, two![1]!), tf.mul(following.logDensity, 0.5));
  const goal = tf.tensor1d(bellman(soft).dataSync());
  const old = running.map((layers) => [...layers]);
  descend(learned(critic!), 2 * RATE, () => tf.addN(heads().map(([now]) => tf.mean(tf.square(tf.sub(now!, goal))))));
  descend(learned(actor!), RATE, () => {
    const { action, logDensity } = sample(observations, 2, ofBatch);
    const input = tf.concat([observations, action], 1);
    const values = [0, 1].map((head) => net(critic!, `head${head}/`, input, (_, layer) => old[head]![layer]!));
    const smallest = tf.squeeze(tf.minimum(values[0]!, values[1]!), [1]);
    return tf.mean(tf.sub(tf.mul(logDensity, 0.5), smallest));
  });
  expectMoved(before, after, 'critic', learned(critic!), 1e-5);
  expectMoved(before, after, 'actor', learned(actor!), 1e-5);
  agent.dispose();
});

it("BRO's update (1e-5)", async () => {
  const [N, DECAY] = [3, 0.5];
  const agent = await BroAgent.create({
    ...{ ...common, criticWidth: 8, criticBlocks: 1, actorWidth: 8, actorBlocks: 1, quantiles: N, temperature: 0.5 },
    ...{ actorLearningRate: RATE, criticLearningRate: RATE, weightDecay: DECAY },
  });
  const before = await agent.state();
  await agent.learn(batch, { next: noise(1), current: noise(2), optimistic: noise(3) });
  const after = await agent.state();
  const parts = ['actor', 'shift', 'critic', 'targetCritic'];
  const [actor, shift, critic, target] = parts.map((part) => variablesOf(before, part)) as Vars[];

  const normed = (v: Vars, name: string, x: tf.Tensor) => {
    const y = tf.add(tf.dot(x, v[`${name}/kernel`]!), v[`${name}/bias`]!);
    const { mean, variance } = tf.moments(y, 1, true);
    const normal = tf.div(tf.sub(y, mean), tf.sqrt(tf.add(variance, 1e-6)));
    return tf.add(tf.mul(normal, v[`${name}/norm/scale`]!), v[`${name}/norm/bias`]!);
  };
  const net = (v: Vars, prefix: string, x: tf.Tensor) => {
    const first = tf.relu(normed(v, `${prefix}in`, x));
    const block = normed(v, `${prefix}block0b`, tf.relu(normed(v, `${prefix}block0a`, first)));
    return tf.add(tf.dot(tf.add(first, block), v[`${prefix}out/kernel`]!), v[`${prefix}out/bias`]!);
  };
  const moments = (s: tf.Tensor2D) => {
    const [mean, raw] = tf.split(net(actor!, '', s), 2, 1) as [tf.Tensor, tf.Tensor];
    return { mean, logStd: tf.add(-10, tf.mul(0.5 * 12, tf.add(1, tf.tanh(raw)))) };
  };
  const sample = (s: tf.Tensor2D, seed: number) => draw(moments(s).mean, moments(s).logStd, of(noise(seed)));
  const heads = (v: Vars, s: tf.Tensor2D, a: tf.Tensor2D) =>
    [0, 1].map((head) => net(v, `head${head}/`, tf.concat([s, a], 1)));

  const following = sample(next, 1);
  const average = tf.div(tf.addN(heads(target!, next, following.action)), 2);
  const soft = tf.sub(average, tf.mul(tf.expandDims(following.logDensity, 1), 0.5));
  const goal = tf
    .add(of(batch.rewards), tf.mul(tf.expandDims(tf.mul(alive, GAMMA), 1), soft))
    .arraySync() as number[][];
  /** Huber's loss of what is positive. */
  const huber = (error: tf.Tensor) => {
    const small = tf.minimum(tf.relu(error), 1);
    return tf.add(tf.mul(tf.square(small), 0.5), tf.sub(tf.relu(error), small));
  };
  const quantileLoss = (predicted: tf.Tensor) => {
    const columns = tf.split(predicted, N, 1);
    const terms = columns.flatMap((theta, i) =>
      Array.from({ length: N }, (_, j) => {
        const error = tf.sub(of(goal.map((row) => row[j]!)), theta);
        const level = (i + 0.5) / N;
        return tf.div(tf.mean(tf.add(tf.mul(huber(error), level), tf.mul(huber(tf.neg(error)), 1 - level))), N);
      }),
    );
    return tf.addN(terms);
  };
  const decay = { weightDecay: DECAY };
  descend(critic!, RATE, () => tf.addN(heads(critic!, observations, actions).map(quantileLoss)), decay);
  const values = (a: tf.Tensor2D) => heads(critic!, observations, a).map((output) => tf.mean(output, 1));
  descend(
    actor!,
    RATE,
    () => {
      const { action, logDensity } = sample(observations, 2);
      return tf.mean(tf.sub(tf.mul(logDensity, 0.5), tf.div(tf.addN(values(action)), 2)));
    },
    decay,
  );
  const { mean, logStd } = moments(observations);
  const std = tf.exp(logStd);
  descend(
    shift!,
    RATE,
    () => {
      const moves = net(shift!, '', tf.concat([observations, mean], 1));
      const drawn = tf.add(tf.add(mean, moves), tf.mul(tf.mul(std, 0.75), of(noise(3))));
      const [one, two] = values(tf.tanh(drawn) as tf.Tensor2D);
      const bound = tf.add(tf.div(tf.add(one!, two!), 2), tf.div(tf.abs(tf.sub(one!, two!)), 2));
      const kl = tf.sum(tf.div(tf.square(moves), tf.mul(2, tf.square(std))), 1);
      return tf.mean(tf.sub(tf.mul(kl, 0.25), bound));
    },
    decay,
  );
  expectMoved(before, after, 'critic', critic!, 1e-5);
  expectMoved(before, after, 'actor', actor!, 1e-5);
  expectMoved(before, after, 'shift', shift!, 1e-5);
  expectMoved(before, after, 'targetCritic', moved(target!, critic!), 1e-5);
  agent.dispose();
});

it("WPO's update away from its target networks (1e-5)", async () => {
  const [N, STD, MEAN_PRICE, STD_PRICE, LIMIT] = [3, 0.6, 0.8, 5, 0.5];
  const { targetRate: _, ...shared } = common;
  const agent = await WpoAgent.create({
    ...{ ...shared, nStep: 1, actorHidden: [8], criticHidden: [8], sampledActions: N, initialStd: STD },
    ...{ meanKlWeight: MEAN_PRICE, stdKlWeight: STD_PRICE, maxGradientNorm: LIMIT },
    // Adam's first step tells nothing of the size of a gradient unless epsilon is large.
    ...{ actorLearningRate: 10 * RATE, criticLearningRate: 20 * RATE, adam: { epsilon: 1 } },
  });
  const rng = Rng.fromSeed(3);
  const fresh = await agent.state();
  const before = Object.fromEntries(
    Object.entries(fresh).map(([name, { shape, data }]) => {
      const isNetwork = /(actor|critic)\//i.test(name) && !name.startsWith('adam');
      const moved = Float32Array.from(data, (x) => Number(x) + 0.3 * rng.normal());
      return [name, isNetwork ? { shape, data: moved } : { shape, data }];
    }),
  );
  await agent.loadState(before);
  const [nextNoise, currentNoise] = [rng.normals(B * N * A), rng.normals(B * N * A)];
  await agent.learn(batch, { next: nextNoise, current: currentNoise });
  const after = await agent.state();
  const parts = ['actor', 'targetActor', 'critic', 'targetCritic'];
  const [actor, targetActor, critic, target] = parts.map((part) => variablesOf(before, part)) as Vars[];

  const elu = (x: tf.Tensor) => tf.elu(x);
  const { q } = critics(elu);
  const value = (v: Vars, s: tf.Tensor2D, a: tf.Tensor2D) =>
    tf.div(tf.add(q(v, 0, s, a), q(v, 1, s, a)), 2) as tf.Tensor1D;
  const gaussian = (v: Vars, s: tf.Tensor2D) => {
    const [mean, raw] = tf.split(dense(v, s, elu), 2, 1) as [tf.Tensor, tf.Tensor];
    return { mean, std: tf.add(tf.mul(tf.log(tf.add(1, tf.exp(raw))), STD / Math.log(2)), 1e-6) };
  };
  const inBounds = (a: tf.Tensor) => tf.clipByValue(a, -1, 1) as tf.Tensor2D;
  const constant = (x: tf.Tensor) => tf.tensor(x.arraySync());
  /** The n-th draw of every state. */
  const drawOf = (noise: Float32Array, n: number) =>
    tf.squeeze<tf.Tensor2D>(tf.slice(tf.tensor3d(noise, [B, N, A]), [0, n, 0], [B, 1, A]), [1]);
  const draws = Array.from({ length: N }, (_, n) => n);

  const following = gaussian(targetActor!, next);
  const values = draws.map((n) => {
    const action = inBounds(tf.add(following.mean, tf.mul(following.std, drawOf(nextNoise, n))));
    return value(target!, next, action);
  });
  const goal = constant(bellman(tf.div(tf.addN(values), N)));
  const drawn = draws.map((n) => {
    const { mean, std } = gaussian(actor!, observations);
    const action = constant(tf.add(mean, tf.mul(std, drawOf(currentNoise, n))));
    const slope = tf.grad((a) => tf.sum(value(critic!, observations, inBounds(a))))(action);
    return { action, slope };
  });
  const old = gaussian(targetActor!, observations);
  /** One step, the gradient clipped. */
  const step = (variables: Vars, rate: number, loss: () => tf.Tensor) => {
    const { gradients } = lossAndGradients(variables, () => ({ loss: loss() as tf.Scalar }));
    const norm = Math.hypot(...Object.values(gradients).flatMap((g) => [...g.dataSync()]));
    expect(norm).toBeGreaterThan(LIMIT);
    const cut = Object.fromEntries(Object.entries(gradients).map(([name, g]) => [name, tf.mul(g, LIMIT / norm)]));
    new Adam(variables, { learningRate: rate, epsilon: 1 }).apply(cut);
  };
  step(critic!, 20 * RATE, () => {
    const errors = [0, 1].map((head) => tf.mean(tf.square(tf.sub(q(critic!, head, observations, actions), goal))));
    return tf.div(tf.addN(errors), 2);
  });
  step(actor!, 10 * RATE, () => {
    const { mean, std } = gaussian(actor!, observations);
    // Acme's adaptor: the value of x, its gradient times a factor.
    const scaled = (x: tf.Tensor, factor: tf.Tensor) =>
      tf.add(tf.mul(factor, x), constant(tf.mul(tf.sub(1, factor), x)));
    const variance = constant(tf.square(std));
    const [naturalMean, naturalStd] = [scaled(mean, variance), scaled(std, tf.div(variance, 2))];
    const moved = drawn.map(({ action, slope }) =>
      tf.sum(tf.mul(slope, tf.div(tf.sub(naturalMean, action), tf.square(naturalStd))), 1),
    );
    const ofMean = tf.div(tf.square(tf.div(tf.sub(old.mean, mean), old.std)), 2);
    const ratio = tf.div(old.std, std);
    const ofStd = tf.sub(tf.sub(tf.div(tf.square(ratio), 2), 0.5), tf.log(ratio));
    const kl = tf.add(tf.mul(tf.sum(ofMean, 1), MEAN_PRICE), tf.mul(tf.sum(ofStd, 1), STD_PRICE));
    return tf.mean(tf.sub(kl, tf.addN(moved)));
  });
  expectMoved(before, after, 'actor', actor!, 1e-5);
  expectMoved(before, after, 'critic', critic!, 1e-5);
  expect(after['targetActor/kernel0']).toEqual(before['targetActor/kernel0']);
  agent.dispose();
});
