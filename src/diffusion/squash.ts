import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, show } from '../errors.js';
import { tanhLogDet } from '../ops/tanh.js';
import { option } from '../options.js';

/** The last map of a policy, from the chain's end x (`[B, A]`, unbounded) to the action. */
export interface Squash {
  /** The action `[B, A]`. */
  apply(x: tf.Tensor2D): tf.Tensor2D;
  /** Log-determinant of the map's Jacobian at x, `[B]`. */
  logDet(x: tf.Tensor2D): tf.Tensor1D;
}

/** A squash as an option. */
export const squashOption = option<Squash>({
  doc: "The last map, from the chain's end to the action.",
  allowed: 'a Squash',
  initial: () => tanhSquash,
  defaultText: 'tanhSquash',
  check: (where, name, value) => {
    if (typeof value === 'object' && value && 'apply' in value && 'logDet' in value) return value as Squash;
    throw new ArgumentError(`${where}: ${name} must be { apply, logDet } such as tanhSquash, got ${show(value)}.`);
  },
});

/** Actions in (-1, 1): tanh, with its log-determinant in stable form (DIME, equation 59). */
export const tanhSquash: Squash = { apply: (x) => tf.tanh(x), logDet: tanhLogDet };

/** Actions without bounds. */
export const noSquash: Squash = { apply: (x) => tf.clone(x), logDet: (x) => tf.zeros([x.shape[0]]) };
