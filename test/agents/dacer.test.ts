import * as tf from '@tensorflow/tfjs-core';
import { DacerAgent, type DacerNoise, Rng, substate } from 'diffrl';
import { expect, it } from 'vitest';
import { TwinCritic } from '../../src/networks/twinCritic.js';
import { fitGaussianMixture, mixtureEntropyBound } from '../../src/objectives/gaussianMixture.js';
import { gaussianReturns, ReturnSpreads } from '../../src/objectives/gaussianReturn.js';
import { prepareVariables, type Variables } from '../../src/ops/variables.js';
import { env, transitions } from './fixtures.js';

const [B, O, A, K] = [6, 3, 2, 3];
const rng = Rng.fromSeed(4);
const normals = (shape: number[]) => ({ data: rng.normals(tf.util.sizeFromShape(shape)), shape });
const create = () =>
  DacerAgent.create({
    ...{ env, seed: 5, compile: false, batchSize: B, criticHidden: [8], policyHidden: [8], diffusionSteps: K },
    ...{ policyLearningRate: 0.01, criticLearningRate: 0.02, entropySamples: 8 },
  });
const noise: DacerNoise = {
  next: { chain: normals([K, B, A]), added: normals([B, A]) },
  returns: normals([2, B]),
  current: { chain: normals([K, B, A]), added: normals([B, A]) },
  entropy: { chain: normals([K, B * 8, A]), added: normals([B * 8, A]) },
};
const data = {
  ...transitions(7, B),
  actions: Rng.fromSeed(8).uniforms(B * A, -1, 1),
  rewards: Rng.fromSeed(9).normals(B, 0, 5),
  terminated: Float32Array.of(0, 1, 0, 0, 1, 0),
  truncated: new Float32Array(B),
};

/** Adam's first step moves by the rate against the sign of any gradient that is not tiny. */
function expectFirstStep(before: Variables, after: Variables, loss: () => tf.Scalar, rate: number): void {
  const { grads } = tf.variableGrads(loss, Object.values(before));
  for (const [name, variable] of Object.entries(before)) {
    const [from, to] = [variable.dataSync(), after[name]!.dataSync()];
    grads[variable.name]!.dataSync().forEach((g, i) => {
      expect(to[i]! - from[i]!, `${name}[${i}]`).toBeCloseTo((-rate * g) / (Math.abs(g) + 1e-8), 4);
    });
  }
}

it('does one update as computed by hand (1e-4): critics, policy, targets, mean deviations, temperature', async () => {
  const [agent, old] = [await create(), await create()];
  const critic = (part: string, state: Awaited<ReturnType<DacerAgent['state']>>) => {
    const made = new TwinCritic<tf.Tensor2D>(Rng.fromSeed(0), {
      outputs: 2,
      observationSize: O,
      actionSize: A,
      hidden: [8],
      activation: mish,
    });
    prepareVariables(made.variables, substate(state, part))();
    return Object.assign(made, {
      returns: (observations: tf.Tensor2D, actions: tf.Tensor2D) => gaussianReturns(made.apply(observations, actions)),
    });
  };
  const before = await old.state();
  const metrics = await agent.learn(data, noise);
  const after = await agent.state();
  const tensor = (x: { data: ArrayLike<number>; shape: readonly number[] }) =>
    tf.tensor(Array.from(x.data), [...x.shape]);
  const rows = (x: Float32Array, width: number) => tf.tensor2d(x, [x.length / width, width]);
  const act = (observations: Float32Array, { chain, added }: DacerNoise['next']) => {
    const clean = old.sampler.actions(rows(observations, O), tensor(chain));
    return tf.clipByValue(tf.add(clean, tf.mul(tensor(added), 0.1 * 3)), -1, 1) as tf.Tensor2D;
  };

  // Critics: weights of mean and deviation row by row, from plain numbers.
  const online = critic('critic', before);
  const next = critic('targetCritic', before)
    .returns(rows(data.nextObservations, O), act(data.nextObservations, noise.next))
    .map(({ mean, std }) => ({ mean: mean.arraySync(), std: std.arraySync() }));
  const now = online.returns(rows(data.observations, O), rows(data.actions, A));
  const spreads = now.map(({ std }) => std.arraySync().reduce((sum, s) => sum + s) / B);
  const weights = now.map(({ mean, std }, head) =>
    Array.from({ length: B }, (_, row) => {
      const smaller = next[0]!.mean[row]! < next[1]!.mean[row]! ? 0 : 1;
      const z = Math.min(Math.max(noise.returns.data[smaller * B + row]!, -3), 3);
      const drawn = next[smaller]!.mean[row]! + z * next[smaller]!.std[row]!;
      const backup = (value: number) => 0.2 * data.rewards[row]! + 0.99 * (1 - data.terminated[row]!) * value;
      const [m, s, spread] = [mean.arraySync()[row]!, std.arraySync()[row]!, spreads[head]!];
      const distance = Math.min(Math.max(backup(drawn) - m, -3 * spread), 3 * spread);
      const factor = -(spread ** 2 + 0.1) / B;
      return [
        (factor * (backup(next[smaller]!.mean[row]!) - m)) / (s ** 2 + 0.1),
        (factor * (distance ** 2 - s ** 2)) / (s ** 3 + 0.1),
      ];
    }),
  );
  const criticLoss = () =>
    tf.addN(
      online.returns(rows(data.observations, O), rows(data.actions, A)).map(({ mean, std }, head) => {
        const [ofMean, ofStd] = [0, 1].map((i) => weights[head]!.map((row) => row[i]!));
        return tf.sum(tf.add(tf.mul(mean, ofMean!), tf.mul(std, ofStd!)));
      }),
    ) as tf.Scalar;
  const trained = critic('critic', after);
  expect(metrics.criticLoss).toBeCloseTo(criticLoss().dataSync()[0]!, 4);
  expectFirstStep(online.variables, trained.variables, criticLoss, 0.02);
  expect([...after['spreads/means']!.data]).toEqual(spreads.map((spread) => expect.closeTo(spread, 5)));

  // The policy, up the critics from before.
  const policyLoss = () => {
    const values = online.returns(rows(data.observations, O), act(data.observations, noise.current!));
    return tf.neg(tf.mean(tf.minimum(values[0].mean, values[1].mean))) as tf.Scalar;
  };
  expect(metrics.policyLoss).toBeCloseTo(policyLoss().dataSync()[0]!, 5);
  expectFirstStep(old.sampler.variables, agent.sampler.variables, policyLoss, 0.01);

  // Targets after the critics, the temperature against the sign of the entropy above its target.
  const [was, is] = [critic('targetCritic', before), critic('targetCritic', after)];
  for (const [name, variable] of Object.entries(is.variables)) {
    const [from, to] = [was.variables[name]!.dataSync(), trained.variables[name]!.dataSync()];
    variable.dataSync().forEach((value, i) => expect(value).toBeCloseTo(0.995 * from[i]! + 0.005 * to[i]!, 6));
  }
  expect(metrics.temperature).toBeCloseTo(3 * Math.exp(-0.03 * Math.sign(metrics.entropy! + 0.9 * A)), 4);
  for (const one of [agent, old, online, trained, was, is]) one.dispose();
});

it('mean deviations start at the first values and move by the rate', () => {
  const spreads = new ReturnSpreads(0.25);
  const track = (first: number[], second: number[]) => {
    const returns = [first, second].map((std) => ({ mean: tf.zeros([2]) as tf.Tensor1D, std: tf.tensor1d(std) }));
    return spreads.track([returns[0]!, returns[1]!]).map((spread) => spread.dataSync()[0]);
  };
  expect(track([1, 3], [4, 4])).toEqual([2, 4]);
  expect(track([6, 6], [0, 0])).toEqual([3, 3]);
  spreads.dispose();
});

it('reads the entropy of known distributions off a mixture of three Gaussians (0.03 nats of 20,000 draws)', () => {
  const draws = Rng.fromSeed(1);
  const unit = Math.log(2 * Math.PI * Math.E);
  const one = draws.normals(40_000).map((z, i) => (i % 2 ? 3 * z : z));
  expect(mixtureEntropyBound(fitGaussianMixture(one, 2, 1))).toBeCloseTo(unit + Math.log(3), 1);
  const humps = draws.normals(60_000).map((z, i) => 0.1 * z + 10 * (Math.floor(i / 2) % 3));
  const { weights } = fitGaussianMixture(humps, 2);
  expect(weights).toEqual([1, 1, 1].map(() => expect.closeTo(1 / 3, 2)));
  const bound = mixtureEntropyBound(fitGaussianMixture(humps, 2));
  expect(Math.abs(bound - (unit + 2 * Math.log(0.1) + Math.log(3)))).toBeLessThan(0.03);
});

it('a mixture fits equal samples, and refuses too few', () => {
  expect(mixtureEntropyBound(fitGaussianMixture(new Float32Array(20).fill(1), 2))).toBeLessThan(-8);
  expect(() => fitGaussianMixture(new Float32Array(4), 2)).toThrow(/3 or more rows of 2/);
  expect(() => fitGaussianMixture(new Float32Array(7), 2)).toThrow(/got 7 numbers/);
});

function mish<T extends tf.Tensor>(x: T): T {
  return tf.mul(x, tf.tanh(tf.softplus(x))) as T;
}
