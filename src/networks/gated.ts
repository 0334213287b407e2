import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, requireNumber } from '../errors.js';
import type { StepNetwork } from './stepNetwork.js';

/**
 * A bounded control behind a learned gate, for chains that must not run away. `network` has twice the outputs, `[u | z]`,
 * of which the control is $m\,\tanh(u/m)\,\mathrm{sigmoid}(z)$: never beyond m, half of u where both start, and flat in
 * whatever the gate shuts out, which is what keeps gradients through long chains small (the gate of SAC Flow, Zhang et
 * al. 2025, on a bounded candidate).
 *
 * @param limit m > 0
 * @throws ArgumentError for a limit that is not positive; where it is used, for another number of outputs
 *
 * @example
 * ```ts
 * const network: NetworkFactory = (rng, sizes) =>
 *   gated(new TimeConditionedMlp(rng, { ...sizes, outputs: 2 * sizes.actionSize }), 10);
 * ```
 */
export function gated(network: StepNetwork, limit: number): StepNetwork {
  requireNumber('gated', 'limit', limit, { above: 0 });
  return {
    variables: network.variables,
    bind(...args) {
      const outputs = network.bind(...args);
      return (x, step) => {
        const both = outputs(x, step);
        if (both.shape[1] !== 2 * x.shape[1]) {
          throw new ArgumentError(
            `gated: network must have ${2 * x.shape[1]} outputs, twice the action's size, got ${both.shape[1]}.`,
          );
        }
        const [control, gate] = tf.split(both, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
        return tf.mul(tf.mul(tf.tanh(tf.div(control, limit)), limit), tf.sigmoid(gate));
      };
    },
    dispose: () => network.dispose(),
  };
}
