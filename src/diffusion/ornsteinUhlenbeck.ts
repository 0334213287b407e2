import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { readOptions } from '../options.js';
import { type ControlledProcessOptions, controlledProcess } from './controlledProcess.js';
import { DiffusionSampler } from './diffusionSampler.js';
import { type EulerMaruyamaOptions, eulerMaruyamaOptions } from './eulerMaruyama.js';
import type { Process } from './process.js';

/**
 * The process of {@link eulerMaruyama} with the exact transition of the Ornstein-Uhlenbeck process in place of Euler's
 * step (the control counts half of the step's variance, as there): with decay $c = e^{-\eta/\sigma_0^2}$,
 * $F_k:\ x_{k+1} = c\,x_k + \tfrac{\sigma_0^2}2 (1 - c^2) f_\theta + \sigma_0\sqrt{1 - c^2}\,\epsilon$ and
 * $B_k:\ x_k \sim N(c\,x_{k+1},\ \sigma_0^2 (1 - c^2) I)$.
 *
 * The prior is stationary at any step size, where Euler's step needs $\eta < \sigma_0^2$ and inflates the variance: take it
 * for few steps over a long total time. For small steps the two agree.
 *
 * @throws ArgumentError for steps below 1, a prior or step size that is not positive, or both steps and schedule
 */
export function ornsteinUhlenbeck(options: ControlledProcessOptions = {}): Process {
  const discretise = (eta: tf.Tensor2D, priorStd: number) => {
    const decay = tf.exp(tf.mul(eta, -1 / priorStd ** 2)) as tf.Tensor2D;
    const lost = tf.neg(tf.expm1(tf.mul(eta, -2 / priorStd ** 2)));
    return {
      decay,
      gain: tf.mul(lost, priorStd ** 2 / 2) as tf.Tensor2D,
      std: tf.mul(tf.sqrt(lost), priorStd) as tf.Tensor2D,
    };
  };
  return described(controlledProcess('ornsteinUhlenbeck', discretise, options), ornsteinUhlenbeck, options);
}

/**
 * A {@link DiffusionSampler} of the process {@link ornsteinUhlenbeck}.
 *
 * **Subclass requirements.** As for {@link DiffusionSampler}.
 *
 * @example
 * ```ts run
 * import * as tf from '@tensorflow/tfjs-core';
 * import { OrnsteinUhlenbeckSampler, Rng, useBestBackend } from 'diffrl';
 *
 * await useBestBackend();
 * const sampler = new OrnsteinUhlenbeckSampler({ steps: 4, stepSize: 6 });
 * sampler.build(Rng.fromSeed(0), { observationSize: 3, actionSize: 2 });
 * const { backwardMean, std } = sampler.bind(tf.zeros([1, 3])); // the stationary process: decay^2 + (std / 2.5)^2 = 1
 * const [decay, spread] = [backwardMean(tf.ones([1, 2]), 0), std(0)];
 * console.log((await tf.add(tf.square(decay), tf.square(tf.div(spread, 2.5))).data())[0]?.toFixed(4)); // 1.0000
 * ```
 */
export class OrnsteinUhlenbeckSampler extends DiffusionSampler {
  /** @throws ArgumentError for steps below 1, a prior or step size that is not positive, or both steps and schedule */
  constructor(options: EulerMaruyamaOptions = {}) {
    const { divergence, squash, ...process } = readOptions('OrnsteinUhlenbeckSampler', options, eulerMaruyamaOptions);
    super({ process: ornsteinUhlenbeck(process), divergence, squash });
    described(this, new.target, options);
  }
}
