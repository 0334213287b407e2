import * as tf from '@tensorflow/tfjs-core';
import { requireInteger } from '../errors.js';
import { linear } from '../ops/linear.js';
import { disposeVariables, prefixVariables, type Variables } from '../ops/variables.js';
import type { Rng } from '../rng/rng.js';
import { BatchRenorm, type BatchRenormOptions } from './batchRenorm.js';
import { constant, lecunNormal } from './initializers.js';

export interface CrossQCriticOptions {
  observationSize: number;
  actionSize: number;
  /** Widths of the hidden layers, default `[2048, 2048]`. */
  hidden?: readonly number[];
  /** Outputs of a head: atoms of a categorical critic, or 1. */
  outputs: number;
  /** Default: those of CrossQ and DIME. */
  batchRenorm?: BatchRenormOptions;
}

/**
 * The twin critic of CrossQ and DIME: two heads with weights and batch statistics of their own, each
 * batch renormalisation -> (dense -> ReLU -> batch renormalisation) per hidden layer -> dense, on observation and action side by side.
 */
export class CrossQCritic {
  /** What gradients train. */
  readonly variables: Variables;
  /** Running means and variances and the counters of training calls. */
  readonly statistics: Variables;
  private readonly heads: CriticHead[];

  /** @throws ArgumentError for sizes below 1 */
  constructor(rng: Rng, options: CrossQCriticOptions) {
    this.heads = [0, 1].map((i) => new CriticHead(rng.split(`head${i}`), options));
    this.variables = Object.assign({}, ...this.heads.map((head, i) => prefixVariables(`head${i}`, head.variables)));
    this.statistics = Object.assign({}, ...this.heads.map((head, i) => prefixVariables(`head${i}`, head.statistics)));
  }

  /**
   * The output of both heads, `[B, outputs]` each, for observations `[B, O]` and actions `[B, A]`.
   *
   * @param training normalise with the batch and move the running statistics (default `false`)
   */
  apply(observations: tf.Tensor2D, actions: tf.Tensor2D, training = false): [tf.Tensor2D, tf.Tensor2D] {
    const x = tf.concat([observations, actions], 1);
    return this.heads.map((head) => head.apply(x, training)) as [tf.Tensor2D, tf.Tensor2D];
  }

  dispose(): void {
    disposeVariables(this.variables);
    disposeVariables(this.statistics);
  }
}

class CriticHead {
  readonly variables: Variables = {};
  readonly statistics: Variables = {};
  private readonly norms: BatchRenorm[] = [];
  private readonly depth: number;

  constructor(
    rng: Rng,
    { observationSize, actionSize, hidden = [2048, 2048], outputs, batchRenorm }: CrossQCriticOptions,
  ) {
    const sizes = [observationSize + actionSize, ...hidden, outputs];
    for (const size of sizes) requireInteger('CrossQCritic', 'layer size', size, { min: 1 });
    this.depth = sizes.length - 1;
    for (let i = 0; i < this.depth; i++) {
      const [inputs, width] = [sizes[i] as number, sizes[i + 1] as number];
      this.addNorm(i, inputs, batchRenorm);
      this.variables[`kernel${i}`] = lecunNormal(rng, inputs, width);
      this.variables[`bias${i}`] = constant<tf.Rank.R1>([width], 0);
    }
  }

  private addNorm(i: number, features: number, options?: BatchRenormOptions) {
    const norm = new BatchRenorm(options);
    norm.build([null, features]);
    this.norms.push(norm);
    for (const [name, variable] of Object.entries(norm.variables)) {
      const group = variable.trainable ? this.variables : this.statistics;
      group[`norm${i}/${name}`] = variable;
    }
  }

  apply(x: tf.Tensor2D, training: boolean): tf.Tensor2D {
    let y = x;
    for (let i = 0; i < this.depth; i++) {
      const normalised = (this.norms[i] as BatchRenorm).call(i === 0 ? y : tf.relu(y), { training }) as tf.Tensor2D;
      y = linear(normalised, this.variables[`kernel${i}`] as tf.Tensor2D, this.variables[`bias${i}`] as tf.Tensor1D);
    }
    return y;
  }
}
