import * as tf from '@tensorflow/tfjs-core';
import {
  BatchRenormMlp,
  cosineSchedule,
  DdpmSampler,
  DiffusionSampler,
  type DiffusionStep,
  ddpm,
  EulerMaruyamaSampler,
  entropyLowerBound,
  eulerMaruyama,
  fourierFeatures,
  GaussianSampler,
  GeneralBridgeSampler,
  generalBridge,
  logBackward,
  logForward,
  lossAndGradients,
  noSquash,
  ornsteinUhlenbeck,
  type Process,
  powerStepsSchedule,
  Rng,
  stepNetwork,
  type TransitionKernels,
} from 'diffrl';
import { describe, expect, it } from 'vitest';
import { stdOfBackward } from '../../src/diffusion/kernels.js';
import { expectClose } from '../close.js';

const sizes = { observationSize: 2, actionSize: 3 };

/** Gives every weight that starts at a constant something to say. */
function perturb(sampler: DiffusionSampler) {
  const rng = Rng.fromSeed(11);
  for (const variable of Object.values(sampler.variables)) {
    tf.tidy(() => variable.assign(tf.add(variable, tf.tensor(rng.normals(variable.size, 0, 0.1), variable.shape))));
  }
}

const options = { steps: 5, stepSize: 0.3 };

/** `process` with kernels and all else as classes of one's own would have them: methods that need `this`. */
class AsClass implements Process {
  constructor(private readonly process: Process) {}
  get schedule() {
    return this.process.schedule;
  }
  get priorStd() {
    return this.process.priorStd;
  }
  get network() {
    return this.process.network;
  }
  build(...args: Parameters<Process['build']>) {
    const built = this.process.build(...args);
    return {
      variables: built.variables,
      bind: (...bound: Parameters<typeof built.bind>) => new KernelsAsClass(built.bind(...bound)),
    };
  }
}

class KernelsAsClass implements TransitionKernels {
  constructor(private readonly kernels: TransitionKernels) {}
  get steps() {
    return this.kernels.steps;
  }
  forwardMean(x: tf.Tensor2D, step: DiffusionStep) {
    return this.kernels.forwardMean(x, step);
  }
  backwardMean(next: tf.Tensor2D, step: DiffusionStep, control?: tf.Tensor2D) {
    return this.kernels.backwardMean(next, step, control);
  }
  std(step: DiffusionStep) {
    return this.kernels.std(step);
  }
  backwardStd(step: DiffusionStep) {
    return stdOfBackward(this.kernels, step);
  }
}
const processes: Record<string, Process> = {
  eulerMaruyama: eulerMaruyama(options),
  'eulerMaruyama, a step size for every step': eulerMaruyama({ ...options, learnDiffusion: 'perStep' }),
  'eulerMaruyama, fixed': eulerMaruyama({ ...options, learnDiffusion: false }),
  ornsteinUhlenbeck: ornsteinUhlenbeck(options),
  ddpm: ddpm({ steps: 5 }),
  'bridge around eulerMaruyama': generalBridge({ around: eulerMaruyama(options) }),
  'bridge around ornsteinUhlenbeck': generalBridge({ around: ornsteinUhlenbeck(options) }),
  'bridge around ddpm': generalBridge({ around: ddpm({ steps: 5 }) }),
  "a class of one's own": new AsClass(eulerMaruyama(options)),
  "bridge around a class of one's own": generalBridge({ around: new AsClass(ddpm({ steps: 5 })) }),
};

describe.each(Object.entries(processes))('%s', (_, process) => {
  const sampler = new DiffusionSampler({ process }).build(Rng.fromSeed(4), sizes);
  perturb(sampler);
  const rng = Rng.fromSeed(9);
  const observations = tf.tensor2d(rng.normals(8), [4, 2]);
  const noise = tf.tensor(rng.normals(72), sampler.noiseShape(4));

  it('has the same densities for one step a row as along the chain (1e-6)', () => {
    const path = sampler.sample(observations, noise, { trajectory: 'detached' });
    const steps = [0, 3, 1, 4];
    const pick = (tensors: readonly tf.Tensor[], offset = 0) =>
      tf.stack(steps.map((k, row) => tf.gather(tensors[k + offset]!, row))) as tf.Tensor2D;
    const [x, next] = [pick(path.states), pick(path.states, 1)];
    const kernels = sampler.bind(observations);
    const rows = tf.tensor1d(steps);
    expectClose(logForward(kernels, x, next, rows), pick(tf.unstack(path.logForward)).dataSync(), 1e-6);
    expectClose(logBackward(kernels, x, next, rows), pick(tf.unstack(path.logBackward)).dataSync(), 1e-6);
  });

  it('has the gradients of the chain (1e-5)', () => {
    const states = sampler.sample(observations, noise).states;
    const chain = lossAndGradients(sampler.variables, () => {
      const path = sampler.sample(observations, noise, { trajectory: 'detached' });
      return { loss: tf.sum(tf.sub(path.logForward, path.logBackward)) as tf.Scalar };
    });
    const single = lossAndGradients(sampler.variables, () => {
      const kernels = sampler.bind(tf.tile(observations, [5, 1]));
      const step = tf.tensor1d(Array.from({ length: 20 }, (_, i) => Math.floor(i / 4)));
      const [x, next] = [tf.concat(states.slice(0, 5)), tf.concat(states.slice(1))] as [tf.Tensor2D, tf.Tensor2D];
      const ratio = tf.sub(logForward(kernels, x, next, step), logBackward(kernels, x, next, step));
      return { loss: tf.sum(ratio) as tf.Scalar };
    });
    for (const [name, gradient] of Object.entries(chain.gradients)) {
      const difference = tf.max(tf.abs(tf.sub(gradient, single.gradients[name]!))).dataSync()[0];
      expect(difference, name).toBeLessThan(1e-5 * (1 + tf.max(tf.abs(gradient)).dataSync()[0]!));
    }
  });

  it('draws groups as it draws repeated observations (1e-5)', () => {
    const [first] = tf.split(observations, 4);
    const group = sampler.sample(first as tf.Tensor2D, noise, { groupSize: 4 });
    const repeated = sampler.sample(tf.tile(first as tf.Tensor2D, [4, 1]), noise);
    expectClose(
      group.totalCost,
      repeated.totalCost.dataSync(),
      1e-5 * Math.max(...repeated.totalCost.dataSync().map(Math.abs)),
    );
  });
});

it('a chain of one step has gradients as longer ones have', () => {
  const sampler = new EulerMaruyamaSampler({ steps: 1 }).build(Rng.fromSeed(0), sizes);
  const noise = tf.tensor(Rng.fromSeed(1).normals(24), sampler.noiseShape(4));
  const { gradients } = lossAndGradients(sampler.variables, () => ({
    loss: tf.mean(sampler.sample(tf.ones([4, 2]), noise).totalCost) as tf.Scalar,
  }));
  for (const name of ['stepSize', 'friction', 'control/trunk/bias3']) {
    expect(tf.sum(tf.abs(gradients[name]!)).dataSync()[0], name).toBeGreaterThan(0);
  }
});

describe('the target of the run cost', () => {
  it("is the released 4 at that code's prior, and the same entropy bound at any other (1e-12)", () => {
    expect(new EulerMaruyamaSampler().targetRunCost).toBe(4);
    const process = [0.5, 1, 2.5, 5].map((priorStd) => ornsteinUhlenbeck({ steps: 4, priorStd }));
    for (const each of [...process, ddpm({ steps: 4 })]) {
      const sampler = new DiffusionSampler({ process: each }).build(Rng.fromSeed(0), sizes);
      const bound = sampler.priorEntropy / sizes.actionSize - sampler.targetRunCost;
      expect(bound).toBeCloseTo(0.5 * Math.log(2 * Math.PI * Math.E * 2.5 ** 2) - 4, 12);
    }
  });
});

describe('ddpm', () => {
  it('reaches the bounds of actions behind a tanh, where DdpmSampler, which has none, ends at 1', () => {
    const network = () => ({
      variables: {},
      bind: () => (x: tf.Tensor2D) => tf.fill(x.shape, -1e6) as tf.Tensor2D,
      dispose: () => undefined,
    });
    const [observations, one] = [tf.zeros([50, 2]) as tf.Tensor2D, { observationSize: 2, actionSize: 1 }];
    const noise = tf.tensor(Rng.fromSeed(0).normals(450), [9, 50, 1]);
    const sampler = new DiffusionSampler({ process: ddpm({ steps: 8, network }) }).build(Rng.fromSeed(0), one);
    expect(tf.mean(sampler.actions(observations, noise)).dataSync()[0]).toBeGreaterThan(0.98);
    expect(tf.min(sampler.actions(observations, noise, 'lastStepMean')).dataSync()[0]).toBeGreaterThan(0.99);
    const plain = new DdpmSampler({ steps: 8, network }).build(Rng.fromSeed(0), one);
    expect(tf.max(plain.actions(observations, tf.slice(noise, 0, 8))).dataSync()[0]).toBe(1);
  });

  it('has the noising kernels of its schedule, and the right entropy bound where the target is its own prior', () => {
    // The exact noise of N(0, I) is sqrt(1 - abar) x at every step: then action and prior are standard normal and the bound is tight.
    const schedule = cosineSchedule({ steps: 5 });
    const predict = (x: tf.Tensor2D, i: DiffusionStep): tf.Tensor2D =>
      tf.mul(x, Math.sqrt(1 - schedule.alphaBars[i as number]!));
    const network = () => ({ variables: {}, bind: () => predict, dispose: () => undefined });
    const process = ddpm({ schedule, startStd: 1, limit: Infinity, network });
    const sampler = new DiffusionSampler({ process, squash: noSquash }).build(Rng.fromSeed(0), sizes);
    const kernels = sampler.bind(tf.zeros([1, 2]));
    const [x, ones] = [tf.tensor2d([[1, -2, 0.5]]), tf.ones([1, 3])];
    for (const k of [0, 3, 4]) {
      const beta = schedule.betas[4 - k]!;
      expectClose(kernels.backwardMean(x, k), tf.mul(x, Math.sqrt(1 - beta)).dataSync(), 1e-6);
      expectClose(kernels.std(k), tf.mul(ones, Math.sqrt(beta)).dataSync(), 1e-6);
      expectClose(kernels.forwardMean(x, k), tf.mul(x, Math.sqrt(1 - beta)).dataSync(), 1e-5);
    }
    const path = sampler.sample(
      tf.zeros([2000, 2]),
      tf.tensor(Rng.fromSeed(1).normals(6 * 6000), sampler.noiseShape(2000)),
    );
    const bound = tf.mean(entropyLowerBound(path)).dataSync()[0]!;
    expect(Math.abs(bound - sampler.priorEntropy)).toBeLessThan(0.1); // four standard errors of 2000 draws
  });
});

describe('discretisations', () => {
  const schedule = powerStepsSchedule({ steps: 3, total: 3 });
  const build = (process: typeof eulerMaruyama, stepSize: number) =>
    new DiffusionSampler({ process: process({ schedule, stepSize, priorStd: 1.5 }) }).build(Rng.fromSeed(0), {
      observationSize: 1,
      actionSize: 1,
    });
  const moments = (sampler: DiffusionSampler) => {
    const { backwardMean, std } = sampler.bind(tf.zeros([1, 1]));
    return { decay: backwardMean(tf.ones([1, 1]), 0).dataSync()[0]!, std: std(0).dataSync()[0]! };
  };

  it('the exact one keeps the prior at any step size, Euler inflates its variance by 1 / (1 - delta / 4)', () => {
    for (const stepSize of [0.1, 1, 1.5]) {
      const exact = moments(build(ornsteinUhlenbeck, stepSize));
      expect(exact.std ** 2 / (1 - exact.decay ** 2)).toBeCloseTo(1.5 ** 2, 4);
      const delta = (2 * stepSize * schedule.stepSizes[0]!) / 1.5 ** 2;
      const euler = moments(build(eulerMaruyama, stepSize));
      expect(euler.std ** 2 / (1 - euler.decay ** 2)).toBeCloseTo(1.5 ** 2 / (1 - delta / 4), 4);
    }
  });

  it('agree for small steps', () => {
    const [exact, euler] = [ornsteinUhlenbeck, eulerMaruyama].map((process) => moments(build(process, 1e-3)));
    expect(exact!.decay).toBeCloseTo(euler!.decay, 5);
    expect(exact!.std / euler!.std).toBeCloseTo(1, 3);
  });
});

describe('ways to run a trained chain, target N(1, 0.3^2), exact score, 512 steps', () => {
  const steps = 512;
  const schedule = powerStepsSchedule({ steps, total: 0.5 * 1.5 ** 2 * 8 });
  /** Control of the exact time reversal, 2 x / sigma0^2 + 2 score, at the noised target's time of step k. */
  const control = (x: tf.Tensor2D, k: DiffusionStep) => {
    const time = schedule.stepSizes.slice(k as number).reduce((sum, size) => sum + size);
    const decay = Math.exp(-time / 1.5 ** 2);
    const variance = 0.3 ** 2 * decay ** 2 + 1.5 ** 2 * (1 - decay ** 2);
    return tf.add(tf.mul(x, 2 / 1.5 ** 2), tf.mul(tf.sub(decay, x), 2 / variance)) as tf.Tensor2D;
  };
  const network = () => ({
    variables: {},
    bind: () => control,
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
  it('has the running statistics of a network that normalises batches', () => {
    const network = (rng: Rng, given: { inputs: number; outputs: number }) =>
      new BatchRenormMlp(rng, { ...given, hidden: [4] });
    const sampler = new GaussianSampler({ network }).build(Rng.fromSeed(0), sizes);
    sampler.sample(tf.tensor2d([5, 5, 7, 9], [2, 2]), tf.zeros([2, 3]), { training: true });
    const means = (of: GaussianSampler) => of.statistics['norm0/mean']!.dataSync();
    expect(means(sampler)[0]).not.toBe(0);
    expect(means(sampler.twin())).toEqual(means(sampler));
  });

  it('has step features of its own', () => {
    expect(() => stepNetwork({ timeFeatures: fourierFeatures(4) })).toThrow('timeFeatures holds variables');
    const network = stepNetwork({ hidden: [8], timeSize: 8, timeFeatures: () => fourierFeatures(4) });
    const sampler = new EulerMaruyamaSampler({ steps: 2, network }).build(Rng.fromSeed(0), sizes);
    const phase = 'control/time/phase';
    expect(sampler.variables[phase]).toBeDefined();
    expect(sampler.twin().variables[phase]).not.toBe(sampler.variables[phase]);
  });

  it('is the same policy until one of them changes', () => {
    const before = tf.memory().numTensors;
    const sampler = new GeneralBridgeSampler({ steps: 3 }).build(Rng.fromSeed(4), sizes);
    perturb(sampler);
    const twin = sampler.twin();
    const actions = (of: DiffusionSampler) =>
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
