import * as tf from '@tensorflow/tfjs-core';
import { tanhLogDet } from '../ops/tanh.js';

/** The last map of a policy, from the chain's end x (`[B, A]`, unbounded) to the action. */
export interface Squash {
  /** The action `[B, A]`. */
  apply(x: tf.Tensor2D): tf.Tensor2D;
  /** Log-determinant of the map's Jacobian at x, `[B]`. */
  logDet(x: tf.Tensor2D): tf.Tensor1D;
}

/** Actions in (-1, 1): tanh, with its log-determinant in stable form (DIME, equation 59). */
export const tanhSquash: Squash = { apply: (x) => tf.tanh(x), logDet: tanhLogDet };

/**
 * tanh whose log-determinant is left out, as in DMERL's released code. The entropy is then that of the chain's end, and
 * the target density over it is improper; what holds it together is the pull of the prior.
 */
export const rawTanhSquash: Squash = { apply: (x) => tf.tanh(x), logDet: noLogDet };

/** Clipping to [-1, 1]; the entropy is that of the chain's end. */
export const clipSquash: Squash = { apply: (x) => tf.clipByValue(x, -1, 1), logDet: noLogDet };

/** Actions without bounds. */
export const noSquash: Squash = { apply: (x) => tf.clone(x), logDet: noLogDet };

function noLogDet(x: tf.Tensor2D): tf.Tensor1D {
  return tf.zeros([x.shape[0]]);
}
