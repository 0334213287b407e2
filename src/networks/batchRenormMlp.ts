import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, requireInteger, requireList, requireNamed, show } from '../errors.js';
import { linear } from '../ops/linear.js';
import { disposeVariables, type Variables } from '../ops/variables.js';
import { type Rng, requireRng } from '../rng/rng.js';
import { BatchRenorm, type BatchRenormOptions } from './batchRenorm.js';
import { constant, lecunNormal } from './initializers.js';

export interface BatchRenormMlpOptions {
  inputs: number;
  /** Widths of the hidden layers. */
  hidden: readonly number[];
  outputs: number;
  /** Default: that of CrossQ and DIME. */
  batchRenorm?: BatchRenormOptions;
  /**
   * Whether the weights into every hidden unit keep length 1 (after CrossQ + WN and XQC, both Palenicek et al. 2025): they start
   * there, and {@link BatchRenormMlp.project} brings them back. The length says next to nothing, since batch normalisation takes it out again, but the
   * longer the weights, the smaller what a step of Adam changes. The last layer, which none follows, stays free. Default `false`.
   */
  weightNorm?: boolean;
}

/**
 * CrossQ's network: batch renormalisation -> (dense -> ReLU -> batch renormalisation) per hidden layer -> dense.
 * LeCun-normal kernels, zero biases.
 */
export class BatchRenormMlp {
  /** What gradients train. */
  readonly variables: Variables = {};
  /** Running means and variances and the counters of training calls. */
  readonly statistics: Variables = {};
  private readonly norms: BatchRenorm[] = [];
  private readonly depth: number;
  /** How many kernels, from the first, keep weights of length 1. */
  private readonly normed: number;

  /** @throws ArgumentError for sizes below 1 */
  constructor(rng: Rng, given: BatchRenormMlpOptions) {
    const { inputs, hidden, outputs, batchRenorm, weightNorm = false } = requireNamed('BatchRenormMlp', given);
    requireRng('BatchRenormMlp', rng);
    if (typeof weightNorm !== 'boolean')
      throw new ArgumentError(`BatchRenormMlp: weightNorm must be true or false, got ${show(weightNorm)}.`);
    requireList('BatchRenormMlp', 'hidden', hidden);
    const sizes = [inputs, ...hidden, outputs];
    for (const size of sizes) requireInteger('BatchRenormMlp', 'layer size', size, { min: 1 });
    this.depth = sizes.length - 1;
    for (let i = 0; i < this.depth; i++) {
      const [fanIn, width] = [sizes[i] as number, sizes[i + 1] as number];
      this.addNorm(i, fanIn, batchRenorm);
      this.variables[`kernel${i}`] = lecunNormal(rng, fanIn, width);
      this.variables[`bias${i}`] = constant<tf.Rank.R1>([width], 0);
    }
    this.normed = weightNorm ? this.depth - 1 : 0;
    this.project();
  }

  /** After a step of the optimiser: brings the weights that are normed back to length 1. Traceable. */
  project(): void {
    for (let i = 0; i < this.normed; i++) {
      const kernel = this.variables[`kernel${i}`] as tf.Variable;
      tf.tidy(() => kernel.assign(tf.div(kernel, tf.norm(kernel, 'euclidean', 0, true))));
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

  /**
   * `[B, inputs]` to `[B, outputs]`.
   *
   * @param training normalise with the batch and move the running statistics (default `false`)
   */
  apply(x: tf.Tensor2D, training = false): tf.Tensor2D {
    let y = x;
    for (let i = 0; i < this.depth; i++) {
      const normalised = (this.norms[i] as BatchRenorm).call(i === 0 ? y : tf.relu(y), { training }) as tf.Tensor2D;
      y = linear(normalised, this.variables[`kernel${i}`] as tf.Tensor2D, this.variables[`bias${i}`] as tf.Tensor1D);
    }
    return y;
  }

  dispose(): void {
    disposeVariables(this.variables);
    disposeVariables(this.statistics);
  }
}
