import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { requireNumber } from '../errors.js';
import { requireOptions } from '../options.js';

/**
 * A learning rate that is `from` for `hold` steps, then falls linearly to `to` over `over` steps and stays there.
 *
 * @param options.hold default 0
 * @throws ArgumentError unless from, to and hold are >= 0 and over > 0
 */
export function linearDecay(options: {
  from: number;
  to: number;
  hold?: number;
  over: number;
}): (step: tf.Scalar) => tf.Scalar {
  requireOptions('linearDecay', options, { from: true, to: true, over: true, hold: true });
  const from = requireNumber('linearDecay', 'from', options.from, { min: 0 });
  const to = requireNumber('linearDecay', 'to', options.to, { min: 0 });
  const hold = requireNumber('linearDecay', 'hold', options.hold ?? 0, { min: 0 });
  const over = requireNumber('linearDecay', 'over', options.over, { above: 0 });
  const rate = (step: tf.Scalar): tf.Scalar => {
    const share = tf.clipByValue(tf.div(tf.sub(step, hold), over), 0, 1);
    return tf.add(tf.mul(share, to - from), from);
  };
  return described(rate, linearDecay, options);
}
