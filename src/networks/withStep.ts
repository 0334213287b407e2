import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, show } from '../errors.js';
import type { CriticFactory } from './criticNetwork.js';

/**
 * Lets a network made for actions value latents too, where an agent wants that (DiffSAC, DiffWPO): there it sees the diffusion step
 * k beside the observation, as $\cos(\pi j k / K)$ for j = 1 ... 8. {@link twinCritic}, {@link crossQCritic} and {@link broCritic}
 * do so by themselves.
 *
 * @param network one of your own that knows observation and action only
 * @throws ArgumentError unless `network` is a function
 *
 * @example
 * ```ts
 * const agent = await DiffSacAgent.create({ env, criticNetwork: withStep(mine) });
 * ```
 */
export function withStep(network: CriticFactory): CriticFactory {
  if (typeof network !== 'function') {
    throw new ArgumentError(`withStep: network must be a function of Rng and CriticSizes, got ${show(network)}.`);
  }
  return (rng, { diffusionSteps, ...sizes }) => {
    if (!diffusionSteps) return network(rng, sizes);
    const own = network(rng, { ...sizes, observationSize: sizes.observationSize + COSINES });
    const frequencies = Array.from({ length: COSINES }, (_, j) => (Math.PI * (j + 1)) / diffusionSteps);
    return {
      variables: own.variables,
      statistics: own.statistics ?? {},
      apply(observations, actions, { step, training = false } = {}) {
        const cosines = tf.cos(tf.outerProduct(step as tf.Tensor1D, tf.tensor1d(frequencies)));
        return own.apply(tf.concat([observations, cosines], 1), actions, { training });
      },
      project: () => own.project?.(),
      dispose: () => own.dispose(),
    };
  };
}

const COSINES = 8;
