import * as tf from '@tensorflow/tfjs-core';
import {
  EulerMaruyamaSampler,
  GeneralBridgeSampler,
  logBackward,
  logForward,
  lossAndGradients,
  OrnsteinUhlenbeckSampler,
  powerStepsSchedule,
  Rng,
} from 'diffrl';
import { describe, expect, it } from 'vitest';

const sizes = { observationSize: 2, actionSize: 3 };

/** Gives every weight that starts at a constant something to say. */
function perturb(sampler: EulerMaruyamaSampler) {
  const rng = Rng.fromSeed(11);
  for (const variable of Object.values(sampler.variables)) {
    tf.tidy(() => variable.assign(tf.add(variable, tf.tensor(rng.normals(variable.size, 0, 0.1), variable.shape))));
  }
}

describe.each([EulerMaruyamaSampler, OrnsteinUhlenbeckSampler, GeneralBridgeSampler])('%o, step by step', (Kind) => {
  it.each([true, 'perStep'] as const)('is the chain, density by density, bit for bit (learnDiffusion %s)', (learn) => {
    const sampler = new Kind({ steps: 5, learnDiffusion: learn, stepSize: 0.3 }).build(Rng.fromSeed(4), sizes);
    perturb(sampler);
    const rng = Rng.fromSeed(9);
    const observations = tf.tensor2d(rng.normals(8), [4, 2]);
    const noise = tf.tensor(rng.normals(72), sampler.noiseShape(4));
    const path = sampler.sample(observations, noise, { trajectory: 'detached' });
    const steps = [0, 3, 1, 4];
    const pick = (tensors: readonly tf.Tensor[], offset = 0) =>
      tf.stack(steps.map((k, row) => tf.gather(tensors[k + offset]!, row))) as tf.Tensor2D;
    const [x, next] = [pick(path.states), pick(path.states, 1)];
    const kernels = sampler.kernelsAt(observations, tf.tensor1d(steps));
    expect(logForward(kernels, x, next).dataSync()).toEqual(pick(path.logForward).dataSync());
    expect(logBackward(kernels, x, next).dataSync()).toEqual(pick(path.logBackward).dataSync());
  });

  it('has the gradients of the chain (1e-5)', () => {
    const sampler = new Kind({ steps: 3 }).build(Rng.fromSeed(4), sizes);
    perturb(sampler);
    const rng = Rng.fromSeed(9);
    const observations = tf.tensor2d(rng.normals(2), [1, 2]);
    const noise = tf.tensor(rng.normals(12), sampler.noiseShape(1));
    const states = sampler.sample(observations, noise).states;
    const chain = lossAndGradients(sampler.variables, () => {
      const path = sampler.sample(observations, noise, { trajectory: 'detached' });
      return { loss: tf.sum(tf.sub(tf.addN([...path.logForward]), tf.addN([...path.logBackward]))) as tf.Scalar };
    });
    const single = lossAndGradients(sampler.variables, () => {
      const kernels = sampler.kernelsAt(tf.tile(observations, [3, 1]), tf.tensor1d([0, 1, 2]));
      const [x, next] = [tf.concat(states.slice(0, 3)), tf.concat(states.slice(1))] as [tf.Tensor2D, tf.Tensor2D];
      return { loss: tf.sum(tf.sub(logForward(kernels, x, next), logBackward(kernels, x, next))) as tf.Scalar };
    });
    for (const [name, gradient] of Object.entries(chain.gradients)) {
      const difference = tf.max(tf.abs(tf.sub(gradient, single.gradients[name]!))).dataSync()[0];
      expect(difference, name).toBeLessThan(1e-5 * (1 + tf.max(tf.abs(gradient)).dataSync()[0]!));
    }
  });
});

describe('discretisations', () => {
  const schedule = powerStepsSchedule({ steps: 3, total: 3 });
  const build = (Kind: typeof EulerMaruyamaSampler, stepSize: number) =>
    new Kind({ schedule, stepSize, priorStd: 1.5 }).build(Rng.fromSeed(0), { observationSize: 1, actionSize: 1 });
  const moments = (sampler: EulerMaruyamaSampler) => {
    const { backwardMean, backwardStd } = sampler.kernelsAt(tf.zeros([1, 1]), tf.tensor1d([0]));
    return { decay: backwardMean(tf.ones([1, 1])).dataSync()[0]!, std: backwardStd.dataSync()[0]! };
  };

  it('the exact one keeps the prior at any step size, Euler inflates its variance by 1 / (1 - delta / 4)', () => {
    for (const stepSize of [0.1, 1, 1.5]) {
      const exact = moments(build(OrnsteinUhlenbeckSampler, stepSize));
      expect(exact.std ** 2 / (1 - exact.decay ** 2)).toBeCloseTo(1.5 ** 2, 4);
      const delta = (2 * stepSize * schedule.stepSizes[0]!) / 1.5 ** 2;
      const euler = moments(build(EulerMaruyamaSampler, stepSize));
      expect(euler.std ** 2 / (1 - euler.decay ** 2)).toBeCloseTo(1.5 ** 2 / (1 - delta / 4), 4);
    }
  });

  it('agree for small steps', () => {
    const [exact, euler] = [OrnsteinUhlenbeckSampler, EulerMaruyamaSampler].map((Kind) => moments(build(Kind, 1e-3)));
    expect(exact!.decay).toBeCloseTo(euler!.decay, 5);
    expect(exact!.std / euler!.std).toBeCloseTo(1, 3);
  });
});

describe('ways to run a trained chain, target N(1, 0.3^2), exact score, 512 steps', () => {
  const steps = 512;
  const schedule = powerStepsSchedule({ steps, total: 0.5 * 1.5 ** 2 * 8 });
  /** Control of the exact time reversal, 2 x / sigma0^2 + 2 score, at the noised target's time of step k. */
  const control = (x: tf.Tensor2D, k: number) => {
    const time = schedule.stepSizes.slice(k).reduce((sum, size) => sum + size);
    const decay = Math.exp(-time / 1.5 ** 2);
    const variance = 0.3 ** 2 * decay ** 2 + 1.5 ** 2 * (1 - decay ** 2);
    return tf.add(tf.mul(x, 2 / 1.5 ** 2), tf.mul(tf.sub(decay, x), 2 / variance)) as tf.Tensor2D;
  };
  const network = () => ({
    variables: {},
    bind: () => control,
    apply: () => tf.zeros([1, 1]) as tf.Tensor2D,
    dispose() {},
  });
  const sampler = new EulerMaruyamaSampler({ schedule, stepSize: 1, priorStd: 1.5, network, learnDiffusion: false });
  sampler.build(Rng.fromSeed(0), { observationSize: 1, actionSize: 1 });

  function endMoments(mode: 'sde' | 'ode' | 'mean' | 'lastStepMean') {
    return tf.tidy(() => {
      const rows = 2000;
      const noise = tf.tensor(Rng.fromSeed(3).normals((steps + 1) * rows), sampler.noiseShape(rows));
      const { mean, variance } = tf.moments(tf.atanh(sampler.actions(tf.zeros([rows, 1]), noise, mode)));
      return { mean: mean.dataSync()[0]!, std: Math.sqrt(variance.dataSync()[0]!) };
    });
  }

  it.each(['sde', 'lastStepMean', 'ode'] as const)('%s reaches it (0.025, 3 standard errors of 2000 draws)', (mode) => {
    const { mean, std } = endMoments(mode);
    expect(Math.abs(mean - 1)).toBeLessThan(0.025);
    expect(Math.abs(std - 0.3)).toBeLessThan(0.025);
  });

  it("'mean' collapses to a point short of the mean", () => {
    const { mean, std } = endMoments('mean');
    expect(mean).toBeLessThan(0.97);
    expect(std).toBeLessThan(0.05);
  });
});

describe('twin', () => {
  it('is the same policy until one of them changes', () => {
    const before = tf.memory().numTensors;
    const sampler = new GeneralBridgeSampler({ steps: 3 }).build(Rng.fromSeed(4), sizes);
    perturb(sampler);
    const twin = sampler.twin();
    const actions = (of: EulerMaruyamaSampler) =>
      tf.tidy(() => {
        const noise = tf.tensor(Rng.fromSeed(2).normals(24), of.noiseShape(2));
        return of.actions(tf.ones([2, 2]), noise).dataSync();
      });
    const first = actions(sampler);
    expect(actions(twin)).toEqual(first);
    perturb(sampler);
    expect(actions(twin)).toEqual(first);
    expect(actions(sampler)).not.toEqual(first);
    twin.dispose();
    sampler.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
