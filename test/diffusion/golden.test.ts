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
  type SampleOptions,
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

  /**
   * The log-derivative gradient by (a, b, raw step size, raw friction) in double precision, by central differences of the
   * chain's densities at its states.
   *
   * @param baseline of each of the three weights
   */
  function logDerivativeGradient(baseline: (weights: number[], i: number) => number): number[] {
    const { stepSizes } = dimeCosineSchedule({ steps: 4 });
    const softplus = (x: number) => Math.log1p(Math.exp(x));
    const kernels = ([a, b, stepSize, friction]: number[], x: number, k: number) => {
      const eta = (softplus(stepSize!) * stepSizes[k]!) / softplus(friction!);
      return { mean: x + eta * (-x / 6.25 + a! + b! * x), back: (next: number) => next - (eta * next) / 6.25, eta };
    };
    const parameters = [0.2, -0.1, Math.log(Math.expm1(0.1)), Math.log(Math.expm1(1))];
    const values = noise().arraySync();
    const chains = [0, 1, 2].map((i) => {
      const states = [values[0]![i]![0]! * 2.5];
      for (let k = 0; k < 4; k++) {
        const { mean, eta } = kernels(parameters, states[k]!, k);
        states.push(mean + Math.sqrt(2 * eta) * values[k + 1]![i]![0]!);
      }
      return states;
    });
    const logNormal = (residual: number, eta: number) =>
      -(residual ** 2) / (4 * eta) - 0.5 * Math.log(4 * Math.PI * eta);
    const densities = (p: number[], states: number[]) => {
      const steps = stepSizes.map((_, k) => ({ ...kernels(p, states[k]!, k), x: states[k]!, next: states[k + 1]! }));
      const sum = (term: (step: (typeof steps)[number]) => number) =>
        steps.reduce((total, step) => total + term(step), 0);
      return {
        forward: sum(({ next, mean, eta }) => logNormal(next - mean, eta)),
        backward: sum(({ x, next, back, eta }) => logNormal(x - back(next), eta)),
      };
    };
    const weights = chains.map((states) => {
      const { forward, backward } = densities(parameters, states);
      const [start, end] = [states[0]!, states[4]!];
      const action = Math.tanh(end);
      const logPrior = -(start ** 2) / 12.5 - 0.5 * Math.log(2 * Math.PI * 6.25);
      return logPrior + forward - backward - Math.log(1 - action ** 2) - (2 * action - action ** 2) / temperature;
    });
    return parameters.map((_, j) => {
      const slope = (of: (p: number[]) => number) => {
        const moved = (by: number) => of(parameters.map((value, i) => (i === j ? value + by : value)));
        return (moved(1e-5) - moved(-1e-5)) / 2e-5;
      };
      const terms = chains.map((states, i) => {
        const advantage = weights[i]! - baseline(weights, i);
        return advantage * slope((p) => densities(p, states).forward) - slope((p) => densities(p, states).backward);
      });
      return terms.reduce((sum, term) => sum + term) / 3;
    });
  }

  it('reverse KL by log-derivative, every trajectory against the mean of the others', () => {
    const mean = (weights: number[]) => weights.reduce((sum, weight) => sum + weight) / weights.length;
    // The same computation with the group's mean as baseline gives the reference's numbers.
    close(logDerivativeGradient(mean), [-0.02664934, -0.02987108, 0.72564909, -0.48201478], 2e-6);
    const expected = logDerivativeGradient((weights, i) => mean(weights.filter((_, j) => j !== i)));
    close(expected, [-0.039974, -0.04480662, 0.72407116, -0.48096663], 2e-6);
    const { loss, gradients } = run(logDerivativeKl);
    close([loss], [(-1.92888754 + 0.2968799 - 2.54381572) / 3], 2e-6);
    close(gradients, [...expected, 0], 2e-6);
  });

  // With the group's mean as baseline the control's gradient is half the truth: off by more than 10 standard errors.
  it('reverse KL by log-derivative is unbiased at two trajectories an observation (4 standard errors)', () => {
    const sampler = affineSampler(0.2, -0.1);
    const rng = Rng.fromSeed(5);
    const names = ['control/a', 'control/b', 'stepSize', 'friction'];
    const gradient = (divergence: Divergence, groupSize: number, groups: number) =>
      tf.tidy(() => {
        const { trajectory } = divergence.requirements;
        const draws = tf.tensor(rng.normals(5 * groupSize * groups), sampler.noiseShape(groupSize * groups));
        const { gradients } = lossAndGradients(sampler.variables, () => {
          const path = sampler.sample(tf.zeros([groups, 1]), draws, { trajectory, groupSize });
          return { loss: divergence(path, logTarget(path.action)) };
        });
        return names.map((name) => gradients[name]!.dataSync()[0]!);
      });
    const truth = gradient(reverseKl, 1, 60_000);
    const estimates = Array.from({ length: 20 }, () => gradient(logDerivativeKl, 2, 700));
    names.forEach((name, j) => {
      const column = estimates.map((estimate) => estimate[j]!);
      const average = column.reduce((sum, value) => sum + value) / 20;
      const error = Math.sqrt(column.reduce((sum, value) => sum + (value - average) ** 2, 0) / 19 / 20);
      expect(Math.abs(average - truth[j]!), name).toBeLessThan(4 * error);
    });
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

  /** Gradients of a bridge whose controls both have something to say, and the largest entry under a prefix. */
  function bridgeGradients(divergence: Divergence, options: SampleOptions) {
    const bridge = new GeneralBridgeSampler({ steps: 3 }).build(Rng.fromSeed(4), { observationSize: 1, actionSize: 1 });
    for (const name of ['control', 'backwardControl']) {
      bridge.variables[`${name}/trunk/kernel3`]!.assign(tf.tensor2d(Rng.fromSeed(7).normals(256, 0, 0.1), [256, 1]));
    }
    const noise = tf.tensor(Rng.fromSeed(1).normals(16), bridge.noiseShape(4));
    const { gradients } = lossAndGradients(bridge.variables, () => {
      const path = bridge.sample(tf.ones([2, 1]), noise, { groupSize: 2, ...options });
      const target = tf.reshape(tf.mul(path.action, 2), [-1]) as tf.Tensor1D;
      return { loss: divergence(path, target, tf.zeros([4])) };
    });
    const largest = (prefix: string) =>
      Math.max(
        ...Object.entries(gradients)
          .filter(([name]) => name.startsWith(prefix))
          .map(([, gradient]) => tf.max(tf.abs(gradient)).dataSync()[0]!),
      );
    return { gradients, largest };
  }

  it.each([
    ['reverseKl', reverseKl],
    ['logDerivativeKl', logDerivativeKl],
  ] as const)('trains the backward control with %s', (_, divergence) => {
    const { largest } = bridgeGradients(divergence, { trajectory: divergence.requirements.trajectory });
    expect(largest('backwardControl')).toBeGreaterThan(1e-4);
  });

  it.each([
    ['logVariance', logVariance],
    ['varGrad', varGrad],
    ['trajectoryBalance', trajectoryBalance],
    ['forwardKl', forwardKl],
  ] as const)(
    'leaves the backward control and the coefficient alone where %s would train them wrongly',
    (_, divergence) => {
      const { trajectory, trainsDiffusion } = divergence.requirements;
      const { largest } = bridgeGradients(divergence, { trajectory, trainDiffusion: trainsDiffusion });
      expect(['backwardControl', 'stepSize', 'friction'].map(largest)).toEqual([0, 0, 0]);
      expect(largest('control')).toBeGreaterThan(1e-4);
    },
  );

  it('frozen along pathwise states, gives the control the gradient that it has otherwise (1e-5)', () => {
    const [free, frozen] = [true, false].map((trainDiffusion) => bridgeGradients(reverseKl, { trainDiffusion }));
    for (const [name, gradient] of Object.entries(frozen!.gradients).filter(([name]) => name.startsWith('control'))) {
      const difference = tf.max(tf.abs(tf.sub(gradient, free!.gradients[name]!))).dataSync()[0]!;
      expect(difference, name).toBeLessThan(1e-5);
    }
    expect(frozen!.largest('backwardControl')).toBe(0);
    expect(free!.largest('backwardControl')).toBeGreaterThan(1e-4);
  });
});
