import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './customGradient.js';

/** A function applied to every entry. */
export type Activation = (x: tf.Tensor) => tf.Tensor;

const GELU_SCALE = Math.sqrt(2 / Math.PI);
const GELU_CUBIC = 0.044715;

/**
 * Gaussian error linear unit in its tanh form, $\tfrac x2\,(1 + \tanh(\sqrt{2/\pi}\,(x + 0.044715\,x^3)))$
 * (Hendrycks & Gimpel 2016; the default of JAX, not of PyTorch).
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  return customGradient(x, geluForward, geluGradient);
}

function geluForward(x: tf.Tensor) {
  const bend = tf.tanh(tf.mul(x, tf.add(tf.mul(tf.square(x), GELU_SCALE * GELU_CUBIC), GELU_SCALE)));
  return { value: tf.mul(tf.mul(x, 0.5), tf.add(bend, 1)), saved: [x, bend] };
}

function geluGradient(dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor {
  const [x, bend] = saved as [tf.Tensor, tf.Tensor];
  const inner = tf.add(tf.mul(tf.square(x), 3 * GELU_SCALE * GELU_CUBIC), GELU_SCALE);
  const curve = tf.mul(tf.mul(x, tf.sub(1, tf.square(bend))), inner);
  return tf.mul(dy, tf.mul(tf.add(tf.add(bend, 1), curve), 0.5));
}

/** $x \tanh(\mathrm{softplus}(x))$ (Misra 2019). */
export function mish<T extends tf.Tensor>(x: T): T {
  return tf.mul(x, tf.tanh(tf.softplus(x))) as T;
}
