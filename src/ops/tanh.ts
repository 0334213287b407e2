import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './customGradient.js';

/**
 * $\log(1 - \tanh^2 x)$, entry by entry, exact for every float: $2\,(\log 2 - x - \mathrm{softplus}(-2x))$.
 * Its derivative is $-2\tanh x$.
 */
export function logOneMinusTanhSquared<T extends tf.Tensor>(x: T): T {
  return customGradient(
    x,
    (x) => ({ value: tf.mul(tf.sub(Math.LN2, tf.add(x, tf.softplus(tf.mul(x, -2)))), 2), saved: [x] }),
    (dy, [x]) => tf.mul(dy, tf.mul(tf.tanh(x as tf.Tensor), -2)),
  );
}

/** Log-determinant of tanh's Jacobian: {@link logOneMinusTanhSquared} summed over the last axis, `[B, A]` to `[B]`. */
export function tanhLogDet(x: tf.Tensor): tf.Tensor1D {
  return tf.sum(logOneMinusTanhSquared(x), -1);
}
