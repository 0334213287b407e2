import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { requireInteger, requireNumber, requireObject } from '../errors.js';
import { integer, number, requireOptions } from '../options.js';
import type { BellmanTarget, CriticObjective } from './criticObjective.js';

/** The evenly spaced returns that a categorical critic distributes probability over. */
export interface Support {
  /** Smallest return. */
  min: number;
  /** Largest return. */
  max: number;
  /** Number of atoms, default 101. */
  atoms?: number;
}

/** A {@link Support} as options of an agent; DIME's released defaults. */
export const supportOptions = {
  min: number(-200, {}, 'Smallest return.'),
  max: number(200, {}, 'Largest return.'),
  atoms: integer(101, { min: 2 }, 'Number of atoms.'),
};

/**
 * Moves a categorical distribution by the Bellman operator and puts it back on its atoms (C51, Bellemare et al. 2017):
 * every atom z becomes `clip(reward + discount * (z - cost), min, max)`, its probability is split linearly between
 * the two neighbours.
 *
 * @param probabilities `[B, atoms]`
 * @returns `[B, atoms]`, rows with the sums of the given rows
 */
export function projectCategorical(
  probabilities: tf.Tensor2D,
  { rewards, discounts, costs }: BellmanTarget,
  { min, max, atoms = 101 }: Support,
): tf.Tensor2D {
  const spacing = (max - min) / (atoms - 1);
  const row = atomRow(min, max, atoms);
  const moved = tf.add(
    tf.reshape(rewards, [-1, 1]),
    tf.mul(tf.reshape(discounts, [-1, 1]), costs ? tf.sub(row, tf.reshape(costs, [-1, 1])) : row),
  );
  const positions = tf.div(tf.sub(tf.clipByValue(moved, min, max), min), spacing);
  const lower = tf.floor(positions);
  const upperShare = tf.mul(probabilities, tf.sub(positions, lower));
  const lowerShare = tf.sub(probabilities, upperShare);
  const columns = tf.stack([lower, tf.minimum(tf.add(lower, 1), atoms - 1)], -1);
  const rows = tf.add(tf.zerosLike(columns), tf.reshape(tf.range(0, probabilities.shape[0]), [-1, 1, 1]));
  const places = tf.cast(tf.stack([rows, columns], -1), 'int32');
  return tf.scatterND(places, tf.stack([lowerShare, upperShare], -1), probabilities.shape);
}

/**
 * DIME's distributional critic: cross-entropy towards the mean of both heads' projected distributions, plus
 * `entropyCoefficient` times the negative entropy of the prediction.
 *
 * @param entropyCoefficient rewards spread-out predictions, >= 0, default 0.005
 * @throws ArgumentError unless min < max and atoms >= 2
 */
export function categoricalObjective(support: Support, entropyCoefficient = 0.005): CriticObjective {
  requireObject('categoricalObjective', 'support', support);
  requireOptions('categoricalObjective', support, { min: true, max: true, atoms: true });
  const { atoms = 101 } = support;
  const min = requireNumber('categoricalObjective', 'support.min', support.min);
  const max = requireNumber('categoricalObjective', 'support.max', support.max, { above: min });
  requireInteger('categoricalObjective', 'support.atoms', atoms, { min: 2 });
  requireNumber('categoricalObjective', 'entropyCoefficient', entropyCoefficient, { min: 0 });
  const mean = (probabilities: tf.Tensor2D): tf.Tensor1D => tf.sum(tf.mul(probabilities, atomRow(min, max, atoms)), 1);
  const objective: CriticObjective = {
    outputs: atoms,
    value: (logits) => mean(tf.softmax(logits)),
    targetValue: mean,
    target: ([first, second], bellman) => {
      const mixture = tf.mul(tf.add(tf.softmax(first), tf.softmax(second)), 0.5) as tf.Tensor2D;
      return projectCategorical(mixture, bellman, { min, max, atoms });
    },
    loss: (predicted, target) => {
      const [first, second] = predicted.map((logits) => {
        const logProbabilities = tf.logSoftmax(logits);
        const weights = tf.sub(tf.mul(tf.exp(logProbabilities), entropyCoefficient), target);
        return tf.mean(tf.sum(tf.mul(weights, logProbabilities), 1));
      });
      return tf.add(first as tf.Tensor, second as tf.Tensor);
    },
    saturation: (target) => {
      const ends = tf.add(tf.slice(target, [0, 0], [-1, 1]), tf.slice(target, [0, atoms - 1], [-1, 1]));
      return tf.mean(ends) as tf.Scalar;
    },
  };
  return described(objective, categoricalObjective, { min, max, atoms, entropyCoefficient });
}

function atomRow(min: number, max: number, atoms: number): tf.Tensor2D {
  return tf.reshape(tf.linspace(min, max, atoms), [1, atoms]);
}
