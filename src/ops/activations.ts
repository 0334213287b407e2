import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './customGradient.js';

/** A function applied to every entry. */
export type Activation = (x: tf.Tensor) => tf.Tensor;

/** $2\sqrt{2/\pi}$ and its product with the cubic coefficient. */
const GELU_LINEAR = 2 * Math.sqrt(2 / Math.PI);
const GELU_CUBIC = 0.044715 * GELU_LINEAR;

/**
 * Gaussian error linear unit in its tanh form, $\tfrac x2\,(1 + \tanh(\sqrt{2/\pi}\,(x + 0.044715\,x^3)))$
 * (Hendrycks & Gimpel 2016; the default of JAX, not of PyTorch). Computed as x times the logistic function of twice
 * that argument, which takes fewer passes over memory.
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  return customGradient(x, geluForward, geluGradient);
}

function geluForward(x: tf.Tensor) {
  const gate = tf.sigmoid(tf.mul(x, tf.add(tf.mul(tf.square(x), GELU_CUBIC), GELU_LINEAR)));
  const value = tf.mul(x, gate);
  return { value, saved: [x, gate, value] };
}

function geluGradient(dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor {
  const [x, gate, value] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
  const slope = tf.add(tf.mul(tf.square(x), 3 * GELU_CUBIC), GELU_LINEAR);
  return tf.mul(dy, tf.add(gate, tf.mul(tf.mul(value, tf.sub(1, gate)), slope)));
}

/** Beyond this, mish(x) = x to float32 precision, and the exponential must not overflow. */
const MISH_LINEAR = 20;

/** $x \tanh(\mathrm{softplus}(x))$ (Misra 2019), as $x\,n/(n + 2)$ with $n = e^x (e^x + 2)$. */
export function mish<T extends tf.Tensor>(x: T): T {
  return customGradient(x, mishForward, mishGradient);
}

function mishForward(x: tf.Tensor) {
  const exp = tf.exp(tf.minimum(x, MISH_LINEAR));
  const n = tf.mul(exp, tf.add(exp, 2));
  const gate = tf.div(n, tf.add(n, 2));
  const value = tf.mul(x, gate);
  return { value, saved: [x, exp, gate, value] };
}

function mishGradient(dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor {
  const [x, exp, gate, value] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const logistic = tf.div(exp, tf.add(exp, 1));
  return tf.mul(dy, tf.add(gate, tf.mul(logistic, tf.sub(x, tf.mul(value, gate)))));
}
