import * as tf from '@tensorflow/tfjs-core';
import { lossAndGradients, type PpoStepOptions, ppoStepLoss } from 'diffrl';
import { describe, expect, it } from 'vitest';
import { differences } from './linearGaussian.js';
import { learnedIndex, noisingIndex, problem, ROWS, STATES, STEPS, solve, VALUES } from './tabular.js';

const exact = solve(problem);
const expected = {
  learned: differences((learned) => -solve({ ...problem, learned }).softReturn, problem.learned),
  noising: differences((noising) => -solve({ ...problem, noising }).softReturn, problem.noising),
};

const variables = {
  learned: tf.variable(tf.tensor(problem.learned, [STATES * STEPS * VALUES, VALUES])),
  noising: tf.variable(tf.tensor(problem.noising, [STEPS * VALUES, VALUES])),
};

/** Log-probabilities of every transition: a constant choice matrix times the table. */
function pick(logits: tf.Variable, index: (row: (typeof ROWS)[number]) => number): tf.Tensor1D {
  const logs = tf.reshape(tf.logSoftmax(logits), [-1, 1]);
  const choice = tf.oneHot(tf.tensor1d(ROWS.map(index), 'int32'), logits.size);
  return tf.reshape(tf.matMul(tf.cast(choice, 'float32'), logs), [-1]);
}

/** Gradients of the PPO loss over every transition, weighted with its discounted probability. */
function ppoGradients(options: PpoStepOptions, advantages = exact.advantages, clip = 0.2) {
  const { gradients } = lossAndGradients(variables, () => {
    const { loss } = ppoStepLoss(
      {
        logForward: pick(variables.learned, learnedIndex),
        logBackward: pick(variables.noising, noisingIndex),
        oldLogForward: tf.tensor1d(exact.logLearned),
        oldLogBackward: tf.tensor1d(exact.logNoising),
        advantages: tf.tensor1d(advantages),
        temperature: problem.temperature,
        clip,
      },
      options,
    );
    return { loss: tf.sum(tf.mul(loss, tf.tensor1d(exact.weights))) as tf.Scalar };
  });
  return { learned: [...gradients.learned!.dataSync()], noising: [...gradients.noising!.dataSync()] };
}

const error = (got: number[], wanted: number[]) =>
  Math.max(...got.map((value, i) => Math.abs(value - wanted[i]!))) / Math.max(...wanted.map(Math.abs));

describe('the tabular augmented MDP', () => {
  it('has the policy gradient of the PPO loss, for learned and noising kernels (1e-5 of the largest entry)', () => {
    for (const recomputeEntropy of [true, false]) {
      const got = ppoGradients({ normalise: false, recomputeEntropy });
      expect(error(got.learned, expected.learned)).toBeLessThan(1e-5);
      expect(error(got.noising, expected.noising)).toBeLessThan(1e-5);
    }
  });

  it('keeps its direction when advantages are normalised', () => {
    const plain = ppoGradients({ normalise: false });
    const normalised = ppoGradients({ normalise: true });
    const scale = normalised.learned[0]! / plain.learned[0]!;
    expect(
      error(
        normalised.learned,
        plain.learned.map((g) => g * scale),
      ),
    ).toBeLessThan(1e-5);
    expect(
      error(
        normalised.noising,
        plain.noising.map((g) => g * scale),
      ),
    ).toBeLessThan(1e-5);
  });

  it('is far off without the entropy part of the advantage', () => {
    const bare = exact.advantages.map((advantage, i) => advantage + problem.temperature * exact.logRatio[i]!);
    expect(error(ppoGradients({ normalise: false }, bare).learned, expected.learned)).toBeGreaterThan(0.1);
  });

  it('has another soft return under each way of discounting', () => {
    const [phase, root, flat] = (['phase', 'root', 'flat'] as const).map((mode) => solve(problem, mode).softReturn);
    expect(Math.abs(phase! - root!)).toBeGreaterThan(0.01);
    expect(Math.abs(root! - flat!)).toBeGreaterThan(0.1);
  });
});

describe('ppoStepLoss away from the old parameters', () => {
  /** Loss and gradients for one transition of log-density `logForward`, next to a neutral one. */
  function run(logForward: number, advantage: number) {
    const parameters = { forward: tf.variable(tf.scalar(logForward)), backward: tf.variable(tf.scalar(0)) };
    const second = (value: tf.Tensor) => tf.concat([tf.reshape(value, [1]), tf.zeros([1])]) as tf.Tensor1D;
    const { results, gradients } = lossAndGradients(parameters, () => {
      const { loss, clipped } = ppoStepLoss(
        {
          logForward: second(parameters.forward),
          logBackward: second(parameters.backward),
          oldLogForward: tf.zeros([2]),
          oldLogBackward: tf.zeros([2]),
          advantages: tf.tensor1d([advantage, -advantage]),
          temperature: 0.5,
          clip: 0.2,
        },
        { normalise: false, recomputeEntropy: false },
      );
      return { loss: tf.sum(loss) as tf.Scalar, clipped: tf.sum(clipped) };
    });
    return {
      loss: results.loss.dataSync()[0]!,
      clipped: results.clipped.dataSync()[0]!,
      forward: gradients.forward!.dataSync()[0]!,
      backward: gradients.backward!.dataSync()[0]!,
    };
  }
  const [up, down] = [Math.log(1.5), Math.log(0.5)];

  it('drops the gradient, that of the noising kernel too, where the clipped term is the smaller', () => {
    expect(run(up, 2)).toMatchObject({ clipped: 1, forward: 0, backward: 0 });
    expect(run(down, -2)).toMatchObject({ clipped: 1, forward: 0, backward: 0 });
    expect(run(up, 2).loss).toBeCloseTo(-(1.2 * 2 - 2), 6);
  });

  it('keeps both where the policy moved the wrong way', () => {
    const wrong = run(up, -2);
    expect(wrong.forward).toBeCloseTo(1.5 * 2, 5);
    expect(wrong.backward).toBeCloseTo(-0.5 * 1.5, 5);
  });
});
