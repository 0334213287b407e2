import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { type GivenOptions, readOptions } from '../options.js';
import { type ControlledProcessOptions, controlledProcess, controlledProcessOptions } from './controlledProcess.js';
import { DiffusionSampler } from './diffusionSampler.js';
import type { Process } from './process.js';
import { divergenceOption } from './sampler.js';
import { squashOption } from './squash.js';

/**
 * DIME's process: the Euler-Maruyama discretisation of a controlled Ornstein-Uhlenbeck process, from a Gaussian prior
 * to the action in K steps.
 *
 * $F_k:\ x_{k+1} = x_k + \eta_k\,(-x_k/\sigma_0^2 + f_\theta(x_k, s, k)) + \sqrt{2\eta_k}\,\epsilon_k$ and
 * $B_k:\ x_k \sim N(x_{k+1} - \eta_k\,x_{k+1}/\sigma_0^2,\ 2\eta_k I)$, with
 * $\eta_{k,d} = \mathrm{softplus}(\tau)\,c(k)/\mathrm{softplus}(\phi_d)$ from a learned step size $\tau$, a learned friction $\phi$ and the
 * schedule's $c(k)$. A control of 0 leaves the stationary process, which is where training starts.
 *
 * @throws ArgumentError for steps below 1, a prior or step size that is not positive, or both steps and schedule
 */
export function eulerMaruyama(options: ControlledProcessOptions = {}): Process {
  const discretise = (eta: tf.Tensor2D, priorStd: number) => ({
    decay: tf.sub(1, tf.mul(eta, 1 / priorStd ** 2)) as tf.Tensor2D,
    gain: eta,
    std: tf.sqrt(tf.mul(eta, 2)) as tf.Tensor2D,
  });
  return described(controlledProcess('eulerMaruyama', discretise, options), eulerMaruyama, options);
}

/** The options of {@link EulerMaruyamaSampler} and its like. */
export const eulerMaruyamaOptions = {
  ...controlledProcessOptions,
  divergence: divergenceOption,
  squash: squashOption,
};

export type EulerMaruyamaOptions = GivenOptions<typeof eulerMaruyamaOptions>;

/**
 * DIME's policy: a {@link DiffusionSampler} of the process {@link eulerMaruyama}.
 *
 * **Subclass requirements.** As for {@link DiffusionSampler}.
 *
 * @example
 * ```ts run
 * import * as tf from '@tensorflow/tfjs-core';
 * import { EulerMaruyamaSampler, entropyLowerBound, Rng, useBestBackend } from 'diffrl';
 *
 * await useBestBackend();
 * const rng = Rng.fromSeed(0);
 * const sampler = new EulerMaruyamaSampler({ steps: 16 }).build(rng.split('networks'), { observationSize: 3, actionSize: 2 });
 * const noise = tf.tensor(rng.normals(17 * 5 * 2), sampler.noiseShape(5));
 * const path = sampler.sample(tf.zeros([5, 3]), noise);
 * console.log(path.states.length, path.action.shape, path.logForward.shape); // 17 [ 5, 2 ] [ 16, 5 ]
 * console.log(entropyLowerBound(path).shape); // [ 5 ]
 * ```
 */
export class EulerMaruyamaSampler extends DiffusionSampler {
  /** @throws ArgumentError for steps below 1, a prior or step size that is not positive, or both steps and schedule */
  constructor(options: EulerMaruyamaOptions = {}) {
    const { divergence, squash, ...process } = readOptions('EulerMaruyamaSampler', options, eulerMaruyamaOptions);
    super({ process: eulerMaruyama(process), divergence, squash });
    described(this, new.target, options);
  }
}
