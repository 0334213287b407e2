import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import {
  BatchRenorm,
  CrossQCritic,
  fourierFeatures,
  Rng,
  sinusoidalFeatures,
  TimeConditionedMlp,
  TwinCritic,
  type Variables,
} from 'diffrl';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../close.js';

const count = (variables: Variables) => Object.values(variables).reduce((sum, variable) => sum + variable.size, 0);

describe('BatchRenorm against the released code (1e-5)', () => {
  const batch = tf.tensor2d([
    [1, 10],
    [2, -10],
    [4, 30],
    [5, 2],
  ]);
  const layer = (warmup: number) => {
    const norm = new BatchRenorm({ warmup });
    norm.build([null, 2]);
    return norm;
  };
  const train = (norm: BatchRenorm) => norm.call(batch, { training: true });

  it('is plain batch normalisation during warm-up', () => {
    const expected = [
      -1.26465821, 0.13736024, -0.63232911, -1.23624218, 0.63232911, 1.51096272, 1.26465821, -0.41208073,
    ];
    expectClose(train(layer(10)), expected, 1e-5);
  });

  it('corrects by clipped r and d afterwards, and counts', () => {
    const norm = layer(0);
    const first = [0.99860174, 5.41196682, 1.99780282, 1.29123737, 3.99620497, 9.53269627, 4.99540605, 3.76367504];
    expectClose(train(norm), first, 1e-5);
    expectClose(norm.variables.mean!, [0.03, 0.08], 1e-6);
    expectClose(norm.variables.variance!, [1.015, 3.11], 1e-5);
    expectClose(norm.variables.steps!, [1], 0);
    const second = [0.9614619, 4.90227604, 1.95326674, 0.78154653, 3.93687654, 9.02300549, 4.9286809, 3.25398421];
    expectClose(train(norm), second, 1e-5);
    const evaluated = [0.92612302, 4.3155179, 1.91104603, -4.45514631, 3.8808918, 13.08618164, 4.86581469, 0.80725199];
    expectClose(norm.call(batch), evaluated, 1e-5);
  });

  it('passes a finite gradient through a constant column, in both phases', () => {
    for (const warmup of [0, 10]) {
      const norm = layer(warmup);
      const x = tf.tensor2d([
        [1, 7],
        [2, 7],
        [3, 7],
      ]);
      const gradient = tf.grad((x) => tf.sum(tf.square(norm.call(x, { training: true }))))(x);
      expect([...gradient.dataSync()].every(Number.isFinite)).toBe(true);
    }
  });

  it.each([0, 10])('has the gradients of its formula, warm-up of %i calls (1e-4)', (warmup) => {
    const rng = Rng.fromSeed(1);
    const x = tf.tensor2d(rng.normals(12), [6, 2]);
    const norm = layer(warmup);
    norm.variables.scale!.assign(tf.tensor1d([0.7, -1.3]));
    norm.variables.bias!.assign(tf.tensor1d([0.2, 0.1]));
    const { mean, variance, scale, bias } = norm.variables as Record<string, tf.Variable<tf.Rank.R1>>;
    const oldMean = tf.clone(mean!);
    const std = tf.sqrt(tf.add(tf.clone(variance!), 1e-3));
    const moments = tf.moments(x, 0);
    const corrects = warmup === 0 ? 1 : 0;
    const r = tf.add(
      1,
      tf.mul(corrects, tf.sub(tf.clipByValue(tf.div(tf.sqrt(tf.add(moments.variance, 1e-3)), std), 1 / 3, 3), 1)),
    );
    const d = tf.mul(corrects, tf.div(tf.sub(moments.mean, oldMean), std));
    const weights = tf.tensor2d(rng.normals(12), [6, 2]);
    const formula = (x: tf.Tensor, scale: tf.Tensor, bias: tf.Tensor) => {
      const { mean, variance } = tf.moments(x, 0);
      const centre = tf.sub(mean, tf.div(tf.mul(d, tf.sqrt(variance)), r));
      const normal = tf.div(tf.sub(x, centre), tf.sqrt(tf.add(tf.div(variance, tf.square(r)), 1e-3)));
      return tf.sum(tf.mul(tf.square(tf.add(tf.mul(normal, scale), bias)), weights));
    };
    const expected = tf.grads(formula)([x, scale!, bias!]);
    const inputs = tf.grad((x) => tf.sum(tf.mul(tf.square(norm.call(x, { training: true })), weights)))(x);
    const again = layer(warmup);
    for (const [name, value] of Object.entries({ scale: scale!, bias: bias! })) again.variables[name]!.assign(value);
    const { grads } = tf.variableGrads(
      () => tf.sum(tf.mul(tf.square(again.call(x, { training: true })), weights)) as tf.Scalar,
      [again.variables.scale!, again.variables.bias!],
    );
    expectClose(inputs, expected[0]!.dataSync(), 1e-4);
    expectClose(grads[again.variables.scale!.name]!, expected[1]!.dataSync(), 1e-4);
    expectClose(grads[again.variables.bias!.name]!, expected[2]!.dataSync(), 1e-4);
  });

  it('works as a layer of a tfjs model and keeps its options', () => {
    const model = sequential({ layers: [new BatchRenorm({ inputShape: [2], rMax: 2 }), layers.dense({ units: 1 })] });
    expect((model.predict(batch) as tf.Tensor).shape).toEqual([4, 1]);
    expect(model.layers[0]!.getConfig()).toMatchObject({ rMax: 2, dMax: 5, warmup: 100_000 });
    expect(model.trainableWeights.length).toBe(4);
  });

  it('says what is wrong with its options', () => {
    expect(() => new BatchRenorm({ rMax: 0.5 })).toThrow('BatchRenorm: rMax must be a number >= 1, got 0.5.');
  });
});

describe('time features', () => {
  it('Fourier features match the released code (2e-5; arguments up to 1500 rad)', () => {
    const features = fourierFeatures(256).apply(tf.tensor1d([0, 1, 15]));
    const picked = [0, 1, 2].flatMap((row) => [0, 1, 255, 256, 257, 511].map((column) => row * 512 + column));
    const values = features.dataSync();
    const expected = [
      [0, 0, 0, 1, 1, 1],
      [0.09983342, 0.47218221, -0.50636564, 0.99500417, 0.88150097, 0.86231887],
      [0.99749499, 0.88814152, -0.99390196, 0.0707372, 0.45957006, -0.1102674],
    ].flat();
    expectClose(
      picked.map((i) => values[i]!),
      expected,
      2e-5,
    );
  });

  it('sinusoidal features are sines, then cosines', () => {
    const values = sinusoidalFeatures(16, 0.25).apply(tf.tensor1d([3]));
    const angles = Array.from({ length: 8 }, (_, j) => 3 * 10000 ** (-j / 8));
    expectClose(values, [...angles.map((a) => Math.sin(a) / 4), ...angles.map((a) => Math.cos(a) / 4)], 1e-6);
    const closed = sinusoidalFeatures(16, 1, true).apply(tf.tensor1d([3]));
    expect(closed.dataSync()[7]).toBeCloseTo(Math.sin(3 / 10_000), 7);
    expectClose(sinusoidalFeatures(2, 1, true).apply(tf.tensor1d([3])), [Math.sin(3), Math.cos(3)], 1e-6);
  });
});

describe('TimeConditionedMlp', () => {
  it.each([
    [38, 223, 471334],
    [24, 67, 424216],
    [8, 111, 427272],
    [17, 376, 499729],
  ])(
    'has the published number of parameters for %i actions, %i observations',
    (actionSize, observationSize, parameters) => {
      const network = new TimeConditionedMlp(Rng.fromSeed(0), { actionSize, observationSize });
      expect(count(network.variables)).toBe(parameters);
      network.dispose();
    },
  );

  const sizes = { actionSize: 2, observationSize: 3, hidden: [16, 16], timeSize: 8, lastKernel: 0.3 };
  const rng = Rng.fromSeed(1);
  const [x, observations] = [tf.tensor2d(rng.normals(8), [4, 2]), tf.tensor2d(rng.normals(12), [4, 3])];

  it('gives the same bound to all steps as applied to a step a row (1e-6)', () => {
    const network = new TimeConditionedMlp(Rng.fromSeed(0), sizes);
    const bound = network.bind(observations, 5);
    const steps = [4, 0, 3, 1];
    const perRow = bound(x, tf.tensor1d(steps)).dataSync();
    steps.forEach((step, row) => {
      expectClose(
        perRow.slice(2 * row, 2 * row + 2),
        bound(x, step)
          .dataSync()
          .slice(2 * row, 2 * row + 2),
        1e-6,
      );
    });
  });

  it('is the plain network on latent, observation and embedding side by side (1e-5)', () => {
    const network = new TimeConditionedMlp(Rng.fromSeed(0), sizes);
    const v = (name: string) => network.variables[name] as tf.Tensor2D;
    const dense = (y: tf.Tensor2D, name: string, i: number) =>
      tf.add(tf.matMul(y, v(`${name}/kernel${i}`)), v(`${name}/bias${i}`)) as tf.Tensor2D;
    const gelu = (y: tf.Tensor2D) =>
      tf.mul(
        tf.mul(y, 0.5),
        tf.add(1, tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), tf.add(y, tf.mul(0.044715, tf.pow(y, 3)))))),
      ) as tf.Tensor2D;
    const angles = tf.mul(tf.fill([4, 8], 2), tf.tensor1d(Array.from({ length: 8 }, (_, i) => 0.1 + (i * 99.9) / 7)));
    const features = tf.concat([tf.sin(angles), tf.cos(angles)], 1) as tf.Tensor2D;
    const embedding = dense(gelu(dense(features, 'time/mlp', 0)), 'time/mlp', 1);
    let y = tf.concat([x, observations, embedding], 1) as tf.Tensor2D;
    for (const i of [0, 1]) y = gelu(dense(y, 'trunk', i));
    expectClose(network.bind(observations, 5)(x, 2), dense(y, 'trunk', 2).dataSync(), 1e-5);
  });

  it('starts at zero and clips its output', () => {
    const fresh = new TimeConditionedMlp(Rng.fromSeed(0), { ...sizes, lastKernel: undefined });
    expect(Math.max(...fresh.bind(observations, 3)(x, 0).dataSync().map(Math.abs))).toBeLessThan(1e-6);
    const wild = new TimeConditionedMlp(Rng.fromSeed(0), { ...sizes, lastKernel: 1e7 });
    expect(Math.max(...wild.bind(observations, 3)(x, 0).dataSync().map(Math.abs))).toBe(1e4);
  });
});

describe('CrossQCritic', () => {
  it.each([
    [38, 223, 9897182],
    [8, 111, 9314982],
  ])(
    'has the published number of parameters for %i actions, %i observations',
    (actionSize, observationSize, parameters) => {
      const critic = new CrossQCritic(Rng.fromSeed(0), { actionSize, observationSize, outputs: 101 });
      expect(count(critic.variables)).toBe(parameters);
      critic.dispose();
    },
  );

  it('normalises a training call with the batch, and moves statistics only then', () => {
    const critic = new CrossQCritic(Rng.fromSeed(0), { actionSize: 1, observationSize: 1, hidden: [8], outputs: 3 });
    const observations = tf.tensor2d([[5], [7], [100]]);
    const actions = tf.tensor2d([[0], [1], [0]]);
    const counter = () => critic.statistics['head1/norm0/steps']!.dataSync()[0];
    critic.apply(observations, actions);
    expect(counter()).toBe(0);
    const [first, second] = critic.apply(observations, actions, { training: true });
    expect(counter()).toBe(1);
    expect(critic.statistics['head0/norm0/mean']!.dataSync()[0]).toBeCloseTo(112 / 300, 5);
    expect([...first.dataSync()]).not.toEqual([...second.dataSync()]);
  });
});

describe('weight normalisation of CrossQCritic', () => {
  const sizes = { actionSize: 2, observationSize: 3, hidden: [8, 4], outputs: 5 };
  const make = () => new CrossQCritic(Rng.fromSeed(0), { ...sizes, weightNorm: true, batchRenorm: { epsilon: 1e-9 } });
  const observations = tf.tensor2d(Rng.fromSeed(1).normals(16 * 3), [16, 3]);
  const actions = tf.tensor2d(Rng.fromSeed(2).normals(16 * 2), [16, 2]);
  const lengths = (kernel: tf.Tensor) => [...tf.sqrt(tf.sum(tf.square(kernel), 0)).dataSync()];

  it('holds the weights into every hidden unit at length 1, from the start and after project()', () => {
    const critic = make();
    const last = critic.variables['head0/kernel2']!;
    for (const times of [1, 3]) {
      for (const name of ['head0/kernel0', 'head0/kernel1', 'head1/kernel0', 'head1/kernel1']) {
        const kernel = critic.variables[name]!;
        const direction = [...tf.div(kernel, tf.norm(kernel, 2, 0, true)).dataSync()];
        kernel.assign(tf.mul(kernel, times));
        critic.project();
        for (const length of lengths(kernel)) expect(length).toBeCloseTo(1, 5);
        expectClose(kernel, direction, 1e-6);
      }
    }
    const before = [...last.dataSync()];
    critic.project();
    expect([...last.dataSync()]).toEqual(before);
    expect(Math.abs(lengths(last)[0]! - 1)).toBeGreaterThan(1e-3);
    critic.dispose();
  });

  it('loses nothing by it: outputs do not know the length of weights and bias, gradients are at right angles (1e-4)', () => {
    const critic = make();
    const [kernel, bias] = ['head0/kernel0', 'head0/bias0'].map((name) => critic.variables[name]!);
    bias!.assign(tf.tensor1d(Rng.fromSeed(3).normals(8)));
    const output = () => critic.apply(observations, actions, { training: true })[0];
    const before = output().dataSync();
    const { grads } = tf.variableGrads(() => tf.sum(tf.square(tf.sub(output(), 1))), [kernel!, bias!]);
    const [ofKernel, ofBias] = [grads[kernel!.name]!, grads[bias!.name]!];
    const along = tf.add(tf.sum(tf.mul(ofKernel, kernel!), 0), tf.mul(ofBias, bias!)).dataSync();
    for (const [i, size] of lengths(ofKernel).entries()) {
      expect(Math.abs(along[i]!)).toBeLessThan(1e-4 * Math.max(1, size));
    }
    expect(Math.max(...lengths(ofKernel))).toBeGreaterThan(0.1);
    const scales = tf.tensor1d([1, 2, 3, 4, 5, 6, 7, 8]);
    kernel!.assign(tf.mul(kernel!, scales));
    bias!.assign(tf.mul(bias!, scales));
    expectClose(output(), before, 1e-4);
    critic.dispose();
  });

  it('is true or false', () => {
    const given = { ...sizes, weightNorm: 1 as unknown as boolean };
    expect(() => new CrossQCritic(Rng.fromSeed(0), given)).toThrow('weightNorm must be true or false, got 1');
  });
});

describe('TwinCritic', () => {
  const critic = new TwinCritic(Rng.fromSeed(2), { observationSize: 3, actionSize: 2, hidden: [16, 8] });

  it('has two heads of its own, and their values of grouped actions are those of repeated observations (1e-5)', () => {
    const observations = tf.tensor2d(Rng.fromSeed(1).normals(6), [2, 3]);
    const actions = tf.tensor2d(Rng.fromSeed(2).normals(12), [6, 2]);
    const repeated = tf.gather(observations, [0, 0, 0, 1, 1, 1]);
    const [first, second] = critic.apply(repeated, actions);
    expect([...first.dataSync()]).not.toEqual([...second.dataSync()]);
    const bound = critic.bind(observations, 3)(actions);
    expectClose(bound[0], first.dataSync(), 1e-5);
    expectClose(bound[1], second.dataSync(), 1e-5);
    expect(count(critic.variables)).toBe(2 * (5 * 16 + 16 + 16 * 8 + 8 + 8 + 1));
  });
});
