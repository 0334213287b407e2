import * as tf from '@tensorflow/tfjs-core';
import { requireInteger } from '../errors.js';
import type { Activation } from '../ops/activations.js';
import { disposeVariables, prefixVariables, type Variables } from '../ops/variables.js';
import type { Rng } from '../rng/rng.js';
import { Mlp } from './mlp.js';

export interface MlpTwinCriticOptions {
  observationSize: number;
  actionSize: number;
  /** Widths of the hidden layers, default `[256, 256]`. */
  hidden?: readonly number[];
  /** Default ReLU. */
  activation?: Activation;
}

/** Two independent perceptrons from observation and action side by side to a value: the critics of TD3, SAC and SDAC. */
export class MlpTwinCritic {
  readonly variables: Variables;
  private readonly heads: Mlp[];
  private readonly sizes: [number, number];

  /** @throws ArgumentError for sizes below 1 */
  constructor(rng: Rng, options: MlpTwinCriticOptions) {
    const { observationSize, actionSize, hidden = [256, 256], activation = tf.relu } = options;
    requireInteger('MlpTwinCritic', 'observationSize', observationSize, { min: 1 });
    requireInteger('MlpTwinCritic', 'actionSize', actionSize, { min: 1 });
    this.sizes = [observationSize, actionSize];
    const inputs = observationSize + actionSize;
    this.heads = [0, 1].map((i) => new Mlp(rng.split(`head${i}`), { inputs, hidden, outputs: 1, activation }));
    this.variables = Object.assign({}, ...this.heads.map((head, i) => prefixVariables(`head${i}`, head.variables)));
  }

  /** The values of both heads, `[B]` each, for observations `[B, O]` and actions `[B, A]`. */
  apply(observations: tf.Tensor2D, actions: tf.Tensor2D): [tf.Tensor1D, tf.Tensor1D] {
    const x = tf.concat([observations, actions], 1);
    return this.heads.map((head) => tf.reshape(head.apply(x), [-1])) as [tf.Tensor1D, tf.Tensor1D];
  }

  /**
   * The smaller value of the two heads as a function of actions `[B * groupSize, A]`, `groupSize` in a row for each of
   * the observations `[B, O]`; to `[B * groupSize]`. The first layer's part of the observation is computed once.
   */
  bindMin(observations: tf.Tensor2D, groupSize: number): (actions: tf.Tensor2D) => tf.Tensor1D {
    const heads = this.heads.map((head) => this.bindHead(head, observations, groupSize));
    return (actions) => {
      const [first, second] = heads.map((head) => head(actions)) as [tf.Tensor2D, tf.Tensor2D];
      return tf.reshape(tf.minimum(first, second), [-1]);
    };
  }

  private bindHead(head: Mlp, observations: tf.Tensor2D, groupSize: number) {
    const [ofObservation, ofAction] = tf.split(head.variables.kernel0 as tf.Tensor2D, this.sizes, 0);
    const part = tf.add(tf.matMul(observations, ofObservation as tf.Tensor2D), head.variables.bias0 as tf.Tensor);
    const width = part.shape[1] as number;
    return (actions: tf.Tensor2D): tf.Tensor2D => {
      const grouped = tf.reshape(tf.matMul(actions, ofAction as tf.Tensor2D), [-1, groupSize, width]);
      const preactivation = tf.add(grouped, tf.expandDims(part, 1));
      return head.applyFrom(0, tf.reshape(preactivation, [-1, width]));
    };
  }

  dispose(): void {
    disposeVariables(this.variables);
  }
}
