import * as tf from '@tensorflow/tfjs-core';
import { EulerMaruyamaSampler } from './eulerMaruyama.js';

/**
 * {@link EulerMaruyamaSampler} with the exact transition of the Ornstein-Uhlenbeck process in place of Euler's step (the
 * control held constant over it): with decay $c = e^{-\eta/\sigma_0^2}$,
 * $F_k:\ x_{k+1} = c\,x_k + \tfrac{\sigma_0^2}2 (1 - c^2) f_\theta + \sigma_0\sqrt{1 - c^2}\,\epsilon$ and
 * $B_k:\ x_k \sim N(c\,x_{k+1},\ \sigma_0^2 (1 - c^2) I)$.
 *
 * The prior is stationary at any step size, where Euler's step needs $\eta < \sigma_0^2$ and inflates the variance: take it
 * for few steps over a long total time. For small steps the two agree.
 *
 * **Subclass requirements.** As for {@link EulerMaruyamaSampler}.
 *
 * @example
 * ```ts
 * const agent = await DiffSacAgent.create({ env, sampler: new OrnsteinUhlenbeckSampler({ steps: 4, stepSize: 6 }) });
 * ```
 */
export class OrnsteinUhlenbeckSampler extends EulerMaruyamaSampler {
  protected override move(x: tf.Tensor2D, eta: tf.Tensor, control?: tf.Tensor2D): tf.Tensor2D {
    const decay = tf.exp(tf.mul(eta, -1 / this.priorStd ** 2));
    const decayed: tf.Tensor2D = tf.mul(decay, x);
    if (!control) return decayed;
    const gain = tf.mul(tf.sub(1, tf.square(decay)), this.priorStd ** 2 / 2);
    return tf.add(decayed, tf.mul(gain, control));
  }

  protected override stdOf<T extends tf.Tensor>(eta: T): T {
    const lost = tf.neg(tf.expm1(tf.mul(eta, -2 / this.priorStd ** 2)));
    return tf.mul(tf.sqrt(lost), this.priorStd) as T;
  }
}
