import * as tf from '@tensorflow/tfjs-core';
import {
  type Divergence,
  dimeCosineSchedule,
  EulerMaruyamaSampler,
  entropyLowerBound,
  forwardKl,
  GeneralBridgeSampler,
  logDerivativeKl,
  logVariance,
  lossAndGradients,
  negativeLogWeights,
  Rng,
  reverseKl,
  type StepNetwork,
  scheduleFromStepSizes,
  sumLogForward,
  trajectoryBalance,
  type Variables,
  varGrad,
} from 'diffrl';
import { afterEach, describe, expect, it } from 'vitest';

/** The control a + b x of the reference toy. */
function affineControl(a: number, b: number): StepNetwork {
  const variables = { a: tf.variable(tf.scalar(a)), b: tf.variable(tf.scalar(b)) };
  const control = (x: tf.Tensor2D) => tf.add(variables.a, tf.mul(variables.b, x)) as tf.Tensor2D;
  return { variables, bind: () => control, dispose: () => undefined };
}

function affineSampler(a: number, b: number, options: object = {}): EulerMaruyamaSampler {
  const sampler = new EulerMaruyamaSampler({ steps: 4, network: () => affineControl(a, b), ...options });
  return sampler.build(Rng.fromSeed(0), { observationSize: 1, actionSize: 1 });
}

const close = (got: ArrayLike<number>, expected: number[], tolerance: number) =>
  expected.forEach((value, i) =>
    expect(Math.abs((got[i] as number) - value), `entry ${i}: ${got[i]} for ${value}`).toBeLessThan(tolerance),
  );

describe('one step against the released code (tolerance 1e-6)', () => {
  it('gives its means, densities and increment', () => {
    const sampler = new EulerMaruyamaSampler({
      schedule: scheduleFromStepSizes('third step of 16', [dimeCosineSchedule({ steps: 16 }).stepSizes[3] as number]),
      network: () => ({ ...affineControl(0, 0), bind: () => () => tf.tensor2d([[0.3, -0.2]]) }),
    }).build(Rng.fromSeed(0), { observationSize: 1, actionSize: 2 });
    (sampler.variables.friction as tf.Variable).assign(tf.tensor1d([0.5413248546129181, Math.log(Math.expm1(2))]));
    const noise = tf.tensor3d([[[0.5 / 2.5, -1 / 2.5]], [[0.1, -0.7]]]);
    const path = sampler.sample(tf.zeros([1, 1]), noise);
    close(path.states[1]!.dataSync(), [0.56268657, -1.21299671], 1e-6);
    close(path.logForward.dataSync(), [-0.0376784072], 1e-6);
    close(path.logBackward.dataSync(), [-0.0248363828], 1e-6);
  });
});

describe('a four-step path against the released code (tolerance 2e-6)', () => {
  it('gives its states and costs', () => {
    const noise = tf.tensor3d([1.5 / 2.5, 0.3, -1.2, 0.8, 0.05], [5, 1, 1]);
    const path = affineSampler(0, 0).sample(tf.zeros([1, 1]), noise);
    close(tf.concat([...path.states]).dataSync(), [1.5, 1.6101573896, 1.0944270847, 1.3373011815, 1.3427141751], 2e-6);
    close(path.logDet.dataSync(), [-1.4310689466], 2e-6);
    close(path.runCost.dataSync(), [1.4664897054], 2e-6);
    close(path.logPrior.dataSync(), [-2.0152292651], 2e-6);
    close(path.totalCost.dataSync(), [-0.5487395597], 2e-6);
    close(entropyLowerBound(path).dataSync(), [0.5487395597], 2e-6);
    close(path.action.dataSync(), [0.8723226178], 2e-6);
  });
});

describe('divergences on the reference toy (tolerance 2e-6)', () => {
  const temperature = 0.7;
  const noise = () =>
    tf.tensor3d(
      [1.5 / 2.5, -0.8 / 2.5, 0.4 / 2.5, 0.3, -0.5, 1.3, -1.2, 0.4, -0.2, 0.8, 1.1, -0.7, 0.05, -0.9, 0.6],
      [5, 3, 1],
    );
  const logTarget = (action: tf.Tensor2D) =>
    tf.reshape(tf.div(tf.sub(tf.mul(action, 2), tf.square(action)), temperature), [-1]) as tf.Tensor1D;

  function run(divergence: Divergence, options: { trainDiffusion?: boolean } = {}) {
    const sampler = affineSampler(0.2, -0.1, { divergence });
    const logZ = tf.variable(tf.scalar(1.3));
    const variables: Variables = { ...sampler.variables, logZ };
    const { trajectory } = divergence.requirements;
    const { results, gradients } = lossAndGradients(variables, () => {
      const path = sampler.sample(tf.zeros([1, 1]), noise(), { trajectory, groupSize: 3, ...options });
      return { loss: sampler.divergence(path, logTarget(path.action), tf.add(logZ, tf.zeros([3])) as tf.Tensor1D) };
    });
    const names = ['control/a', 'control/b', 'stepSize', 'friction', 'logZ'];
    return { loss: results.loss.dataSync()[0]!, gradients: names.map((name) => gradients[name]!.dataSync()[0]!) };
  }

  afterEach(() => tf.disposeVariables());

  it('costs, actions and weights', () => {
    const path = affineSampler(0.2, -0.1).sample(tf.zeros([3, 1]), noise());
    close(path.totalCost.dataSync(), [-0.52245701, -1.53166025, -1.28502641], 2e-6);
    close(path.action.dataSync(), [0.87550652, -0.50995964, 0.65525736], 2e-6);
    close(negativeLogWeights(path, logTarget(path.action)).dataSync(), [-1.92888754, 0.2968799, -2.54381572], 2e-6);
  });

  it('reverse KL', () => {
    const { loss, gradients } = run(reverseKl);
    close([loss * temperature], [-0.974358784], 2e-6);
    close(
      gradients.map((g) => g * temperature),
      [-0.05451548, 0.2834428, -0.14973453, 0.09946165, 0],
      2e-6,
    );
  });

  it.each([
    ['logVariance', logVariance],
    ['varGrad', varGrad],
  ] as const)('%s, diffusion trained', (_, divergence) => {
    const { loss, gradients } = run(divergence);
    close([loss], [0.7445404973], 2e-6);
    close(gradients, [-0.02664934, -0.02987108, -0.00580364, 0.00385509, 0], 2e-6);
  });

  it('log variance, diffusion frozen: same control gradient, none for the coefficient', () => {
    close(run(logVariance, { trainDiffusion: false }).gradients, [-0.02664934, -0.02987108, 0, 0, 0], 2e-6);
  });

  it('trajectory balance', () => {
    const { loss, gradients } = run(trajectoryBalance);
    close([loss], [0.7487670821], 2e-6);
    close(gradients, [-0.03300877, -0.02259222, -0.00557207, 0.00370127, -0.09194112], 2e-6);
  });

  it('reverse KL by log-derivative: equals log variance on the control, not on the coefficient', () => {
    const { loss, gradients } = run(logDerivativeKl);
    close([loss], [(-1.92888754 + 0.2968799 - 2.54381572) / 3], 2e-6);
    close(gradients, [-0.02664934, -0.02987108, 0.72564909, -0.48201478, 0], 2e-6);
  });

  it('forward KL is the weighted log-likelihood of the paths, weights softmax(-W)', () => {
    const path = affineSampler(0.2, -0.1).sample(tf.zeros([1, 1]), noise(), { groupSize: 3 });
    const weights = [-1.92888754, 0.2968799, -2.54381572].map((w) => Math.exp(-w));
    const total = weights.reduce((sum, w) => sum + w);
    const logForward = sumLogForward(path).dataSync();
    const expected = -weights.reduce((sum, w, i) => sum + (w / total) * logForward[i]!, 0);
    close([run(forwardKl).loss], [expected], 2e-6);
  });
});

describe('GeneralBridgeSampler', () => {
  it('with zero backward control is EulerMaruyamaSampler, path by path', () => {
    const sizes = { observationSize: 2, actionSize: 3 };
    const plain = new EulerMaruyamaSampler({ steps: 5 }).build(Rng.fromSeed(4), sizes);
    const bridge = new GeneralBridgeSampler({ steps: 5 }).build(Rng.fromSeed(4), sizes);
    bridge.variables['backwardControl/trunk/kernel3']!.assign(tf.zeros([256, 3]));
    const rng = Rng.fromSeed(9);
    const observations = tf.tensor2d(rng.normals(8), [4, 2]);
    const noise = tf.tensor(rng.normals(72), plain.noiseShape(4));
    const difference = tf.sub(
      plain.sample(observations, noise).totalCost,
      bridge.sample(observations, noise).totalCost,
    );
    expect([...difference.dataSync()]).toEqual([0, 0, 0, 0]);
  });

  it('trains the backward control with the reverse KL', () => {
    const bridge = new GeneralBridgeSampler({ steps: 3 }).build(Rng.fromSeed(4), { observationSize: 1, actionSize: 1 });
    const noise = tf.tensor(Rng.fromSeed(1).normals(16), bridge.noiseShape(4));
    const { gradients } = lossAndGradients(bridge.variables, () => {
      const path = bridge.sample(tf.ones([4, 1]), noise);
      return { loss: bridge.divergence(path, tf.zeros([4])) };
    });
    expect(tf.max(tf.abs(gradients['backwardControl/trunk/kernel3']!)).dataSync()[0]).toBeGreaterThan(1e-4);
  });
});
