import * as tf from '@tensorflow/tfjs-core';
import { requireNumber, requireOneOf } from '../errors.js';
import { withoutGradient } from '../ops/stopGradient.js';

/** Moments of diagonal Gaussians, one a row, `[B, A]` each. */
export interface Moments {
  mean: tf.Tensor2D;
  std: tf.Tensor2D;
}

/**
 * $KL(\text{old} \,\|\, \text{new})$ between the learned kernels of one transition a row, `[B]`. K times its mean over steps drawn
 * uniformly is the KL divergence between the chains, which bounds that between the policies.
 */
export function stepKl(from: Moments, to: Moments): tf.Tensor1D {
  const spread = tf.square(tf.div(from.std, to.std));
  const shift = tf.square(tf.div(tf.sub(from.mean, to.mean), to.std));
  const perEntry = tf.sub(tf.mul(tf.sub(tf.add(spread, shift), 1), 0.5), tf.mul(tf.log(spread), 0.5));
  return tf.sum(perEntry, 1);
}

/**
 * What to do with a row whose chain KL $K \cdot KL_k$ exceeds the bound:
 * - `'switch'`: replace its loss by the weighted KL;
 * - `'sum'`: add the weighted KL to every row's loss.
 */
export type KlMode = 'switch' | 'sum';

/**
 * A step loss kept within a trust region around an older policy, averaged over the batch.
 *
 * @param loss `[B]`
 * @param kl `[B]`, {@link stepKl} times K
 * @param options.bound largest $K \cdot KL_k$ of a row, > 0, in nats
 * @param options.multiplier weight of the KL; a constant
 * @throws ArgumentError for another mode or a bound that is not positive
 */
export function trustRegionLoss(
  loss: tf.Tensor1D,
  kl: tf.Tensor1D,
  options: { mode: KlMode; bound: number; multiplier: tf.Scalar | number },
): tf.Scalar {
  const { mode, bound, multiplier } = options;
  requireOneOf('trustRegionLoss', 'mode', mode, ['switch', 'sum']);
  requireNumber('trustRegionLoss', 'bound', bound, { above: 0 });
  const penalty = tf.mul(kl, multiplier);
  if (mode === 'sum') return tf.mean(tf.add(loss, penalty));
  const inside = withoutGradient((value) => tf.cast(tf.less(value, bound), 'float32'), kl);
  return tf.mean(tf.add(tf.mul(inside, loss), tf.mul(tf.sub(1, inside), penalty)));
}
