import * as tf from '@tensorflow/tfjs-core';
import { entriesOf } from '../ops/linear.js';
import type { StepNetwork } from './stepNetwork.js';

/**
 * `network` with its output at step k times `factors[k]`. A control over the standard deviation of its step moves every
 * step by so many standard deviations times a factor of nearly the same size for all (of {@link dmerlSampler}'s: 0.3 to 0.5), so that
 * steps of little noise learn as fast as the others.
 */
export function scaleSteps(network: StepNetwork, factors: readonly number[]): StepNetwork {
  return {
    variables: network.variables,
    bind(observations, steps, groupSize) {
      const output = network.bind(observations, steps, groupSize);
      const factor = entriesOf(factors);
      return (x, step) => tf.mul(output(x, step), factor(step));
    },
    dispose: () => network.dispose(),
  };
}
