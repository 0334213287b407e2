import * as tf from '@tensorflow/tfjs-core';
import { requireInteger } from '../errors.js';
import type { Activation } from '../ops/activations.js';
import { disposeVariables, prefixVariables, type Variables } from '../ops/variables.js';
import type { Rng } from '../rng/rng.js';
import { Mlp } from './mlp.js';

export interface GaussianCriticOptions {
  observationSize: number;
  actionSize: number;
  /** Widths of the hidden layers, default `[256, 256]`. */
  hidden?: readonly number[];
  /** Default ReLU. */
  activation?: Activation;
}

/** A normal distribution of returns a row. */
export interface GaussianReturn {
  /** `[B]` */
  mean: tf.Tensor1D;
  /** `[B]`, above 0 */
  std: tf.Tensor1D;
}

/**
 * Two independent perceptrons from observation and action side by side to a normal distribution of the return: the
 * distributional critics of DSAC and DACER.
 */
export class GaussianTwinCritic {
  readonly variables: Variables;
  private readonly heads: Mlp[];

  /** @throws ArgumentError for sizes below 1 */
  constructor(rng: Rng, options: GaussianCriticOptions) {
    const { observationSize, actionSize, hidden = [256, 256], activation = tf.relu } = options;
    requireInteger('GaussianTwinCritic', 'observationSize', observationSize, { min: 1 });
    requireInteger('GaussianTwinCritic', 'actionSize', actionSize, { min: 1 });
    const inputs = observationSize + actionSize;
    this.heads = [0, 1].map((i) => new Mlp(rng.split(`head${i}`), { inputs, hidden, outputs: 2, activation }));
    this.variables = Object.assign({}, ...this.heads.map((head, i) => prefixVariables(`head${i}`, head.variables)));
  }

  /** The distributions of both heads for observations `[B, O]` and actions `[B, A]`. */
  apply(observations: tf.Tensor2D, actions: tf.Tensor2D): [GaussianReturn, GaussianReturn] {
    const x = tf.concat([observations, actions], 1);
    return this.heads.map((head) => {
      const [mean, raw] = tf.split(head.apply(x), 2, 1) as [tf.Tensor2D, tf.Tensor2D];
      return { mean: tf.reshape(mean, [-1]), std: tf.softplus(tf.reshape(raw, [-1])) };
    }) as [GaussianReturn, GaussianReturn];
  }

  dispose(): void {
    disposeVariables(this.variables);
  }
}
