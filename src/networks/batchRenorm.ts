import type { serialization } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers } from '@tensorflow/tfjs-layers';
import { requireNamed } from '../errors.js';
import type { Variables } from '../ops/variables.js';
import { type GivenOptions, integer, number, type OptionValues, readOptions } from '../options.js';

/** The options of {@link BatchRenorm}. */
export const batchRenormOptions = {
  momentum: number(0.99, { min: 0, below: 1 }, "Running statistics move by 1 - momentum towards the batch's."),
  epsilon: number(1e-3, { above: 0 }, 'Added to variances.'),
  rMax: number(3, { min: 1 }, 'Largest ratio r of standard deviations, and its inverse the smallest.'),
  dMax: number(5, { min: 0 }, 'Largest shift d of the mean in running standard deviations.'),
  warmup: integer(
    100_000,
    { min: 0 },
    'Training calls that are plain batch normalisation before the correction sets in.',
  ),
};

export type BatchRenormOptions = GivenOptions<typeof batchRenormOptions>;

/** Smallest batch variance seen by the square root; a column of less is constant and has no gradient but that of its mean. */
const TINY_VARIANCE = 1e-12;

/**
 * Batch renormalisation (Ioffe 2017) as CrossQ and DIME use it, for inputs `[B, F]`.
 *
 * In training, with batch statistics $\mu_b, v_b$ and running ones $\mu, v$ before the call:
 * $r = \mathrm{clip}\big(\sqrt{v_b + \epsilon}/\sqrt{v + \epsilon},\ 1/r_{\max},\ r_{\max}\big)$,
 * $d = \mathrm{clip}\big((\mu_b - \mu)/\sqrt{v + \epsilon},\ \pm d_{\max}\big)$, both without gradient, and the input is normalised with mean
 * $\mu_b - d\sqrt{v_b}/r$ and variance $v_b/r^2$. For the first `warmup` training calls r = 1 and d = 0.
 * Otherwise the running statistics are used.
 *
 * Weights: `scale`, `bias` (trainable), `mean`, `variance`, `steps` (the saved counter of training calls).
 * To load models that contain it: `tf.serialization.registerClass(BatchRenorm)`.
 *
 * @example
 * ```ts
 * const model = tf.sequential({ layers: [new BatchRenorm({ inputShape: [17] }), tf.layers.dense({ units: 1 })] });
 * ```
 */
export class BatchRenorm extends layers.Layer {
  static readonly className = 'BatchRenorm';
  /** The weights by name, once built. */
  readonly variables: Variables = {};
  private readonly options: OptionValues<typeof batchRenormOptions>;

  /** @throws ArgumentError for a value out of range */
  constructor(config: BatchRenormOptions & { name?: string; inputShape?: number[] } = {}) {
    const { momentum, epsilon, rMax, dMax, warmup, ...layerConfig } = requireNamed('BatchRenorm', config);
    super(layerConfig);
    this.options = readOptions('BatchRenorm', { momentum, epsilon, rMax, dMax, warmup }, batchRenormOptions);
  }

  override build(inputShape: (number | null)[]): void {
    const features = [inputShape.at(-1) as number];
    const add = (name: string, shape: number[], value: number, trainable: boolean) => {
      const weight = this.addWeight(name, shape, 'float32', initializers.constant({ value }), undefined, trainable);
      this.variables[name] = weight.read() as tf.Variable;
    };
    add('scale', features, 1, true);
    add('bias', features, 0, true);
    add('mean', features, 0, false);
    add('variance', features, 1, false);
    add('steps', [], 0, false);
    this.built = true;
  }

  override computeOutputShape(inputShape: (number | null)[]): (number | null)[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: { training?: boolean } = {}): tf.Tensor {
    return tf.tidy(() => {
      const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor;
      const { scale, bias, mean, variance } = this.variables as Record<string, tf.Tensor>;
      if (training) return this.train(x, scale as tf.Tensor, bias as tf.Tensor);
      const gain = tf.mul(tf.rsqrt(tf.add(variance as tf.Tensor, this.options.epsilon)), scale as tf.Tensor);
      return tf.add(tf.mul(tf.sub(x, mean as tf.Tensor), gain), bias as tf.Tensor);
    });
  }

  /** A training batch, normalised; moves the running statistics. */
  private train(x: tf.Tensor, scale: tf.Tensor, bias: tf.Tensor): tf.Tensor {
    const normalise = tf.customGrad((...args) => {
      const [values, factor, addend, save] = args as [tf.Tensor, tf.Tensor, tf.Tensor, (saved: tf.Tensor[]) => void];
      const { mean, variance, r, d } = this.statistics(values);
      const offset = tf.div(tf.mul(d, tf.sqrt(tf.maximum(variance, TINY_VARIANCE))), r);
      const std = tf.sqrt(tf.add(tf.div(variance, tf.square(r)), this.options.epsilon));
      const centred = tf.sub(values, tf.sub(mean, offset));
      const gain = tf.div(factor, std);
      save([centred, gain, std, variance, offset, r]);
      return { value: tf.add(tf.mul(centred, gain), addend), gradFunc: trainGradients };
    });
    return normalise(x, scale, bias);
  }

  /** The statistics of a batch, and by how much to correct them; moves the running ones. */
  private statistics(x: tf.Tensor): Record<'mean' | 'variance' | 'r' | 'd', tf.Tensor> {
    const { momentum, epsilon, rMax, dMax, warmup } = this.options;
    const running = this.variables as Record<'mean' | 'variance' | 'steps', tf.Variable>;
    const mean = tf.mean(x, 0);
    const variance = tf.relu(tf.sub(tf.mean(tf.square(x), 0), tf.square(mean)));
    const std = tf.sqrt(tf.add(running.variance, epsilon));
    const corrects = tf.greaterEqual(running.steps, warmup);
    const ratio = tf.clipByValue(tf.div(tf.sqrt(tf.add(variance, epsilon)), std), 1 / rMax, rMax);
    const shift = tf.clipByValue(tf.div(tf.sub(mean, running.mean), std), -dMax, dMax);

    running.mean.assign(blend(running.mean, mean, momentum));
    running.variance.assign(blend(running.variance, variance, momentum));
    running.steps.assign(tf.add(running.steps, 1));
    const corrected = (value: tf.Tensor, plain: tf.Tensor) => tf.where(corrects, value, plain);
    return { mean, variance, r: corrected(ratio, tf.onesLike(ratio)), d: corrected(shift, tf.zerosLike(shift)) };
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), ...this.options };
  }
}

type Saved = [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];

/**
 * The gradients of {@link BatchRenorm.train} for input, scale and bias, by hand: automatic ones take three times the operators,
 * and twice the passes over the batch.
 */
function trainGradients(dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] {
  const [centred, gain, std, variance, offset, r] = saved as Saved;
  const bias = tf.sum(dy, 0);
  const scale = tf.div(tf.sum(tf.mul(dy, centred), 0), std);
  const share = tf.div(gain, dy.shape[0] as number);
  const byMean = tf.mul(share, bias);
  const byVariance = tf.div(tf.div(tf.mul(share, scale), std), tf.square(r));
  const byOffset = tf.div(tf.mul(byMean, offset), tf.maximum(variance, TINY_VARIANCE));
  const isSpread = tf.greaterEqual(variance, TINY_VARIANCE);
  const slope = tf.where(isSpread, tf.sub(byOffset, byVariance), tf.zerosLike(variance));
  const shift = tf.add(tf.mul(slope, offset), byMean);
  return [tf.sub(tf.add(tf.mul(gain, dy), tf.mul(slope, centred)), shift), scale, bias];
}

function blend(old: tf.Tensor, fresh: tf.Tensor, momentum: number): tf.Tensor {
  return tf.add(tf.mul(old, momentum), tf.mul(fresh, 1 - momentum));
}
