import * as tf from '@tensorflow/tfjs-core';
import { lookup } from '../ops/linear.js';
import type { StepNetwork } from './scoreNetwork.js';

/**
 * `network` with its output at step k times `factors[k]`. A control over the standard deviation of its step moves every
 * step by as many standard deviations, so that steps of little noise learn as fast as the others.
 */
export function scaleSteps(network: StepNetwork, factors: readonly number[]): StepNetwork {
  return {
    variables: network.variables,
    apply(x, observations, step, steps) {
      const factor = lookup(tf.tensor2d([...factors], [steps, 1]), step);
      return tf.mul(network.apply(x, observations, step, steps), factor);
    },
    bind(observations, steps, groupSize) {
      const control = network.bind(observations, steps, groupSize);
      return (x, step) => tf.mul(control(x, step), factors[step] as number);
    },
    dispose: () => network.dispose(),
  };
}
