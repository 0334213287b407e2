import * as tf from '@tensorflow/tfjs-core';
import {
  EulerMaruyamaSampler,
  logBackward,
  logForward,
  lossAndGradients,
  noSquash,
  ppoStepLoss,
  Rng,
  reverseKl,
  type StepBatch,
  type StepNetwork,
  sacStepLoss,
  scheduleFromStepSizes,
  stepBatch,
  type TransitionKernels,
  type Variables,
  wpoStepLoss,
  wpoVelocity,
} from 'diffrl';
import { describe, expect, it } from 'vitest';
import { lookup, rowsOf } from '../../src/ops/linear.js';
import {
  differences,
  gaussianGrid,
  type LinearGaussian,
  marginals,
  oracle,
  softReturn,
  softValues,
} from './linearGaussian.js';

const STEPS = 4;

/** Every transition of the chain that quadrature needs: 25 rows a step, levels counted from the action. */
function transitions(chain: LinearGaussian) {
  const { nodes, weights } = gaussianGrid(2);
  const levels = marginals(chain);
  const rows = Array.from({ length: STEPS }, (_, i) =>
    nodes.map(([u, v], n) => {
      const { mean, variance } = levels[i + 1]!;
      return { level: i, x: mean + Math.sqrt(variance) * u!, noise: v!, weight: weights[n]! / STEPS };
    }),
  ).flat();
  const column = (pick: (row: (typeof rows)[number]) => number) => tf.tensor1d(rows.map(pick));
  return {
    level: column((row) => row.level),
    x: tf.reshape(
      column((row) => row.x),
      [-1, 1],
    ) as tf.Tensor2D,
    noise: tf.reshape(
      column((row) => row.noise),
      [-1, 1],
    ) as tf.Tensor2D,
    weight: column((row) => row.weight),
  };
}

/** U at the successors' level, differentiable in the latent. */
function valueAt(chain: LinearGaussian, level: tf.Tensor1D) {
  const table = tf.tensor2d(softValues(chain));
  const [c0, c1, c2] = tf.split(lookup(table, level), 3, 1) as [tf.Tensor, tf.Tensor, tf.Tensor];
  return (y: tf.Tensor2D) => tf.reshape(tf.add(c0, tf.mul(y, tf.add(c1, tf.mul(y, c2)))), [-1]) as tf.Tensor1D;
}

/** Soft advantages of transitions, U(y) - T l - U(x). */
function advantagesOf(chain: LinearGaussian, batch: StepBatch, next: tf.Tensor2D, level: tf.Tensor1D) {
  const { kernels, x, step } = batch;
  const l = tf.sub(logForward(kernels, x, next, step), logBackward(kernels, x, next, step));
  const gain = tf.sub(valueAt(chain, level)(next), valueAt(chain, tf.add(level, 1))(x));
  return tf.sub(gain, tf.mul(l, chain.temperature)) as tf.Tensor1D;
}

const weighted = (loss: tf.Tensor1D, weight: tf.Tensor1D) => tf.sum(tf.mul(loss, weight)) as tf.Scalar;

/** PPO's loss on the same transitions, at the old parameters, times K. */
function ppoLoss(chain: LinearGaussian, make: () => StepBatch, rows: ReturnType<typeof transitions>) {
  const old = make();
  const next = tf.add(old.mean, tf.mul(old.std, rows.noise)) as tf.Tensor2D;
  const advantages = advantagesOf(chain, old, next, rows.level);
  const oldLogForward = logForward(old.kernels, old.x, next, old.step);
  const oldLogBackward = logBackward(old.kernels, old.x, next, old.step);
  return () => {
    const { kernels, x, step } = make();
    const { loss } = ppoStepLoss(
      {
        logForward: logForward(kernels, x, next, step),
        logBackward: logBackward(kernels, x, next, step),
        oldLogForward,
        oldLogBackward,
        advantages,
        temperature: chain.temperature,
        clip: 0.2,
      },
      { normalise: false },
    );
    return { loss: tf.mul(weighted(loss, rows.weight), STEPS) as tf.Scalar };
  };
}

function expectSame(got: number[], expected: number[], tolerance: number) {
  const size = Math.hypot(...expected);
  got.forEach((value, i) =>
    expect(Math.abs(value - expected[i]!) / size, `entry ${i}: ${value} for ${expected[i]}`).toBeLessThan(tolerance),
  );
}

describe('a batch whose advantages are equal', () => {
  it.each([[[0.7]], [[3, 3, 3]]])(
    'leaves noising kernels a gradient on the scale of the temperature: %o',
    (advantages) => {
      const column = (value: number) => tf.fill([advantages.length], value) as tf.Tensor1D;
      const slope = tf.grad((logBackward) => {
        const old = { logForward: column(-1), oldLogForward: column(-1), oldLogBackward: column(-2) };
        const batch = { ...old, logBackward: logBackward as tf.Tensor1D, temperature: 0.005, clip: 0.2 };
        return tf.sum(ppoStepLoss({ ...batch, advantages: tf.tensor1d(advantages) }).loss);
      });
      for (const value of slope(column(-2)).dataSync()) expect(value).toBeCloseTo(-0.005, 6);
    },
  );
});

describe('the linear-Gaussian oracle', () => {
  const parameters = [...oracle.gain, ...oracle.shift, ...oracle.logVariance];
  const chainOf = (p: number[]) => ({ ...oracle, gain: p.slice(0, 4), shift: p.slice(4, 8), logVariance: p.slice(8) });
  const exact = differences((p) => -softReturn(chainOf(p)), parameters);

  const variables: Variables = {
    gain: tf.variable(tf.tensor1d(oracle.gain)),
    shift: tf.variable(tf.tensor1d(oracle.shift)),
    logVariance: tf.variable(tf.tensor1d(oracle.logVariance)),
  };
  const rows = transitions(oracle);
  const pick = (values: tf.Tensor): tf.Tensor2D => lookup(tf.reshape(values, [-1, 1]), rows.level);
  const batch = (): StepBatch => {
    const [gain, shift, logVariance] = [pick(variables.gain!), pick(variables.shift!), pick(variables.logVariance!)];
    const std = tf.sqrt(tf.exp(logVariance)) as tf.Tensor2D;
    const kernels: TransitionKernels = {
      steps: STEPS,
      forwardMean: (x): tf.Tensor2D => tf.add(tf.mul(gain, x), shift),
      backwardMean: (next) => tf.mul(pick(tf.tensor1d(oracle.decay)), next),
      std: () => std,
      backwardStd: () => pick(tf.sqrt(tf.tensor1d(oracle.noise))),
    };
    const { temperature } = oracle;
    const step = tf.sub(STEPS - 1, rows.level) as tf.Tensor1D;
    return { kernels, x: rows.x, step, mean: kernels.forwardMean(rows.x, step), std, squash: noSquash, temperature };
  };
  const gradient = (compute: () => { loss: tf.Scalar }) => {
    const { gradients } = lossAndGradients(variables, compute);
    return ['gain', 'shift', 'logVariance'].flatMap((name) => [...gradients[name]!.dataSync()]);
  };

  it('has its soft return by the moments of the chain and by the soft values (1e-11)', () => {
    const [c0, , c2] = softValues(oracle)[4]!;
    expect(Math.abs(softReturn(oracle) - -2.876875069662)).toBeLessThan(1e-11);
    expect(Math.abs(c0 + c2 * oracle.priorStd ** 2 - -2.876875069662)).toBeLessThan(1e-11);
  });

  it.each([false, true])('gives the SAC loss its exact gradient (1e-5), pathOnly %s', (pathOnly) => {
    const value = valueAt(oracle, rows.level);
    const got = gradient(() => {
      const { loss } = sacStepLoss(batch(), { noise: rows.noise, value, pathOnly });
      return { loss: weighted(loss, rows.weight) };
    });
    expectSame(got, exact, 1e-5);
  });

  it('gives the PPO loss its exact gradient at the old parameters (1e-5)', () => {
    expectSame(gradient(ppoLoss(oracle, batch, rows)), exact, 1e-5);
  });

  it('gives the WPO loss its exact gradient under natural rescaling (1e-5)', () => {
    const current = batch();
    const next = tf.add(current.mean, tf.mul(current.std, rows.noise)) as tf.Tensor2D;
    const velocity = wpoVelocity(current, next, valueAt(oracle, rows.level));
    const got = gradient(() => ({
      loss: weighted(wpoStepLoss(batch(), { noise: rows.noise, velocity }), rows.weight),
    }));
    expectSame(got, exact, 1e-5);
  });

  it('makes WPO, per sample, the path-only SAC gradient by mean and standard deviation (1e-6)', () => {
    const frozen = batch();
    const moments: Variables = { mean: tf.variable(frozen.mean), std: tf.variable(frozen.std) };
    const free = (): StepBatch => ({
      ...frozen,
      mean: tf.clone(moments.mean!) as tf.Tensor2D,
      std: tf.clone(moments.std!) as tf.Tensor2D,
    });
    const value = valueAt(oracle, rows.level);
    const next = tf.add(frozen.mean, tf.mul(frozen.std, rows.noise)) as tf.Tensor2D;
    const velocity = wpoVelocity(frozen, next, value);
    const perSample = (loss: () => tf.Tensor1D) =>
      lossAndGradients(moments, () => ({ loss: tf.sum(loss()) as tf.Scalar })).gradients;
    const sac = perSample(() => sacStepLoss(free(), { noise: rows.noise, value, pathOnly: true }).loss);
    const wpo = perSample(() => wpoStepLoss(free(), { noise: rows.noise, velocity }));
    for (const name of ['mean', 'std']) {
      const largest = tf.max(tf.abs(sac[name]!)).dataSync()[0]!;
      expect(tf.max(tf.abs(tf.sub(sac[name]!, wpo[name]!))).dataSync()[0]! / largest).toBeLessThan(1e-6);
    }
  });

  it('weighs the steps of the plain WPO loss with 1 / sigma^2 for the mean, and of the relative one evenly', () => {
    const moments: Variables = { mean: tf.variable(batch().mean) };
    const velocity = tf.ones([rows.noise.shape[0], 1]) as tf.Tensor2D;
    const of = (rescale: 'none' | 'natural' | 'relative') =>
      lossAndGradients(moments, () => ({
        loss: tf.sum(
          wpoStepLoss(
            { ...batch(), mean: tf.clone(moments.mean!) as tf.Tensor2D },
            { noise: rows.noise, velocity, rescale },
          ),
        ) as tf.Scalar,
      })).gradients.mean!;
    const variance = tf.square(batch().std);
    expect(tf.max(tf.abs(tf.sub(tf.mul(of('none'), variance), of('natural')))).dataSync()[0]).toBeLessThan(1e-5);
    expect(tf.max(tf.abs(tf.sub(tf.mul(of('relative'), tf.mean(variance)), of('natural')))).dataSync()[0]).toBeLessThan(
      1e-5,
    );
  });
});

describe('the four losses on one Euler-Maruyama chain (1e-4 of the gradient)', () => {
  const deltas = [0.9, 0.6, 0.3, 0.15];
  const priorStd = 1.3;
  const etas = deltas.map((delta) => (delta * priorStd ** 2) / 2);
  const slopes = [0.1, -0.5, 0.3, -1.2];
  const offsets = [0.3, -0.4, 0.9, 1.1];

  const sampler = new EulerMaruyamaSampler({
    schedule: scheduleFromStepSizes('oracle', etas),
    stepSize: 1,
    priorStd,
    squash: noSquash,
    network: affineSteps,
  }).build(Rng.fromSeed(0), { observationSize: 1, actionSize: 1 });

  /** The same chain as numbers, next to the action first. */
  const chain: LinearGaussian = {
    ...oracle,
    gain: etas.map((eta, k) => 1 - eta / priorStd ** 2 + eta * slopes[k]!).reverse(),
    shift: etas.map((eta, k) => eta * offsets[k]!).reverse(),
    logVariance: etas.map((eta) => Math.log(2 * eta)).reverse(),
    decay: etas.map((eta) => 1 - eta / priorStd ** 2).reverse(),
    noise: etas.map((eta) => 2 * eta).reverse(),
  };

  const rows = transitions(chain);
  const batch = (trainDiffusion = true): StepBatch => {
    const observations = tf.zeros<tf.Rank.R2>([rows.x.shape[0], 1]);
    const step = tf.sub(STEPS - 1, rows.level) as tf.Tensor1D;
    return stepBatch(sampler, { observations, x: rows.x, step }, { temperature: chain.temperature, trainDiffusion });
  };

  /** DIME's actor loss through the whole chain, by quadrature over all five draws. */
  const whole = lossAndGradients(sampler.variables, () => {
    const { nodes, weights } = gaussianGrid(STEPS + 1);
    const noise = tf.reshape(tf.transpose(tf.tensor2d(nodes)), sampler.noiseShape(nodes.length)) as tf.Tensor3D;
    const path = sampler.sample(tf.zeros([nodes.length, 1]), noise);
    const q = tf.div(tf.square(tf.sub(tf.reshape(path.action, [-1]), chain.goal)), -2 * chain.width);
    const each = tf.sub(tf.mul(path.runCost, chain.temperature), q) as tf.Tensor1D;
    return { loss: weighted(each, tf.tensor1d(weights)) };
  });
  const names = Object.keys(sampler.variables);
  const flat = (gradients: Record<string, tf.Tensor>, some = names) =>
    some.flatMap((name) => [...gradients[name]!.dataSync()]);
  const expected = flat(whole.gradients);

  it('is the chain that the closed form describes', () => {
    expect(whole.results.loss.dataSync()[0]).toBeCloseTo(-softReturn(chain), 4);
  });

  it('is minus the temperature times the reverse KL divergence', () => {
    const noise = tf.tensor(Rng.fromSeed(1).normals(50), sampler.noiseShape(10));
    const path = sampler.sample(tf.zeros([10, 1]), noise);
    const logTarget = tf.reshape(path.action, [-1]) as tf.Tensor1D;
    const each = tf.sub(path.totalCost, logTarget);
    expect(reverseKl(path, logTarget).dataSync()[0]).toBeCloseTo(tf.mean(each).dataSync()[0]!, 6);
  });

  it.each([false, true])('SAC, diffusion coefficients included, pathOnly %s', (pathOnly) => {
    const { gradients } = lossAndGradients(sampler.variables, () => {
      const { loss } = sacStepLoss(batch(), { noise: rows.noise, value: valueAt(chain, rows.level), pathOnly });
      return { loss: weighted(loss, rows.weight) };
    });
    expectSame(flat(gradients), expected, 1e-4);
  });

  it('PPO, diffusion coefficients included', () => {
    const { gradients } = lossAndGradients(sampler.variables, ppoLoss(chain, batch, rows));
    expectSame(flat(gradients), expected, 1e-4);
  });

  it('WPO, for the control', () => {
    const current = batch();
    const next = tf.add(current.mean, tf.mul(current.std, rows.noise)) as tf.Tensor2D;
    const velocity = wpoVelocity(current, next, valueAt(chain, rows.level));
    const { gradients } = lossAndGradients(sampler.variables, () => ({
      loss: weighted(wpoStepLoss(batch(false), { noise: rows.noise, velocity }), rows.weight),
    }));
    const control = names.filter((name) => name.startsWith('control'));
    expectSame(flat(gradients, control), flat(whole.gradients, control), 1e-4);
  });

  function affineSteps(): StepNetwork {
    const variables = {
      slope: tf.variable(tf.tensor2d(slopes, [4, 1])),
      offset: tf.variable(tf.tensor2d(offsets, [4, 1])),
    };
    return {
      variables,
      bind: () => {
        const [slope, offset] = [rowsOf(variables.slope), rowsOf(variables.offset)];
        return (x, step) => tf.add(tf.mul(slope(step), x), offset(step));
      },
      dispose: () => undefined,
    };
  }
});
