import * as tf from '@tensorflow/tfjs-core';
import type { Variables } from './variables.js';

/**
 * Moves every variable of `targets` a share `rate` of the way to its namesake in `sources` (exponential moving
 * average, Polyak averaging). Traceable.
 *
 * @param rate in [0, 1]; 1 copies
 */
export function moveTowards(targets: Variables, sources: Variables, rate: number): void {
  tf.tidy(() => {
    for (const [name, target] of Object.entries(targets)) {
      const source = sources[name] as tf.Variable;
      target.assign(tf.add(tf.mul(target, 1 - rate), tf.mul(source, rate)));
    }
  });
}
