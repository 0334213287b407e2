import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './customGradient.js';

/** `x` with its gradient cut: the value passes, the derivative is zero. */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  return customGradient(x, (value) => ({ value: tf.clone(value), saved: [] }), tf.zerosLike);
}
