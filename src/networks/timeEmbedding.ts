import * as tf from '@tensorflow/tfjs-core';
import { requireInteger, requireNamed, requireNumber, requireObject, requireOneOf } from '../errors.js';
import { type Activation, gelu } from '../ops/activations.js';
import { disposeVariables, prefixVariables, type Variables } from '../ops/variables.js';
import { type Rng, requireRng } from '../rng/rng.js';
import { constant } from './initializers.js';
import { Mlp } from './mlp.js';

/** Maps step numbers `[N]` to features `[N, size]`. */
export interface TimeFeatures {
  /** Features of one step. */
  readonly size: number;
  /** What of them is learned, if anything. */
  readonly variables: Variables;
  /** Steps `[N]` to features `[N, size]`. */
  apply(steps: tf.Tensor1D): tf.Tensor2D;
}

/**
 * Sines and cosines of `coefficient * step + phase` with fixed coefficients in equal steps from 0.1 to 100 and a
 * learned phase (PISGRAD network, DIME): `[sin | cos]`.
 *
 * @param frequencies number of coefficients; twice as many features
 * @throws ArgumentError unless frequencies >= 1
 */
export function fourierFeatures(frequencies: number): TimeFeatures {
  requireInteger('fourierFeatures', 'frequencies', frequencies, { min: 1, max: 65_536 });
  const step = 99.9 / Math.max(frequencies - 1, 1);
  const coefficients = Array.from({ length: frequencies }, (_, i) => 0.1 + i * step);
  const phase = constant<tf.Rank.R2>([1, frequencies], 0);
  return {
    size: 2 * frequencies,
    variables: { phase },
    apply(steps) {
      const angles = tf.add(tf.outerProduct(steps, tf.tensor1d(coefficients)), phase);
      return tf.concat([tf.sin(angles), tf.cos(angles)], 1) as tf.Tensor2D;
    },
  };
}

/**
 * Transformer-style sinusoids `[sin | cos]` at `size / 2` frequencies $10000^{-2j/\text{size}}$, nothing learned.
 *
 * @param scale factor on all features, default 1; SDAC's released code uses $1/\sqrt{\text{size}}$
 * @param closed whether the last frequency is 1/10000 itself, $10000^{-j/(\text{size}/2 - 1)}$, as in Diffusion-QL's code and
 *   those that took it from there; default `false`
 * @throws ArgumentError unless size is even and >= 2
 */
export function sinusoidalFeatures(size: number, scale = 1, closed = false): TimeFeatures {
  requireNumber('sinusoidalFeatures', 'size', size);
  requireInteger('sinusoidalFeatures', 'size / 2', size / 2, { min: 1, max: 65_536 });
  requireNumber('sinusoidalFeatures', 'scale', scale);
  requireOneOf('sinusoidalFeatures', 'closed', closed, [true, false]);
  const intervals = closed ? Math.max(size / 2 - 1, 1) : size / 2;
  const frequencies = Array.from({ length: size / 2 }, (_, j) => 10000 ** (-j / intervals));
  return {
    size,
    variables: {},
    apply(steps) {
      const angles = tf.outerProduct(steps, tf.tensor1d(frequencies));
      return tf.mul(tf.concat([tf.sin(angles), tf.cos(angles)], 1), scale) as tf.Tensor2D;
    },
  };
}

export interface TimeEmbeddingOptions {
  features: TimeFeatures;
  /** Width of the hidden layer. */
  hidden: number;
  /** Width of the embedding. */
  outputs: number;
  /** Default {@link gelu}. */
  activation?: Activation;
}

/** Time features followed by a two-layer perceptron: step numbers `[N]` to `[N, outputs]`. */
export class TimeEmbedding {
  readonly variables: Variables;
  readonly size: number;
  private readonly features: TimeFeatures;
  private readonly mlp: Mlp;

  constructor(rng: Rng, given: TimeEmbeddingOptions) {
    const { features, hidden, outputs, activation = gelu } = requireNamed('TimeEmbedding', given);
    requireRng('TimeEmbedding', rng);
    requireObject('TimeEmbedding', 'features', features);
    this.size = outputs;
    this.features = features;
    this.mlp = new Mlp(rng, { inputs: features.size, hidden: [hidden], outputs, activation });
    this.variables = { ...features.variables, ...prefixVariables('mlp', this.mlp.variables) };
  }

  apply(steps: tf.Tensor1D): tf.Tensor2D {
    return this.mlp.apply(this.features.apply(steps));
  }

  dispose(): void {
    disposeVariables(this.variables);
  }
}
