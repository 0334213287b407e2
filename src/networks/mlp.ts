import type * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, requireInteger, requireList, requireNamed, show } from '../errors.js';
import { type Activation, gelu } from '../ops/activations.js';
import { linear } from '../ops/linear.js';
import { disposeVariables, type Variables } from '../ops/variables.js';
import { type Rng, requireRng } from '../rng/rng.js';
import { constant, lecunNormal } from './initializers.js';

export interface MlpOptions {
  /**
   * Size of the input. A list stands for parts side by side: the first kernel is then drawn part by part, so that a
   * part of few numbers has as much to say at the start as one of many.
   */
  inputs: number | readonly number[];
  /** Widths of the hidden layers. */
  hidden: readonly number[];
  outputs: number;
  /** After every hidden layer; default {@link gelu}. */
  activation?: Activation;
  /** If given, every entry of the last kernel starts at this value, so that a small one makes the output start near 0. */
  lastKernel?: number;
}

/** A multilayer perceptron: LeCun-normal kernels `kernel0, kernel1, ...` (`[in, out]`), zero biases `bias0, ...`. */
export class Mlp {
  readonly variables: Variables = {};
  private readonly layers: number;
  private readonly activation: Activation;

  /** @throws ArgumentError for sizes below 1 */
  constructor(rng: Rng, given: MlpOptions) {
    const { inputs, hidden, outputs, activation = gelu, lastKernel } = requireNamed('Mlp', given);
    requireRng('Mlp', rng);
    requireList('Mlp', 'hidden', hidden);
    if (typeof inputs !== 'number') requireList('Mlp', 'inputs', inputs);
    if (typeof activation !== 'function')
      throw new ArgumentError(`Mlp: activation must be a function such as tf.relu, got ${show(activation)}.`);
    const parts = typeof inputs === 'number' ? [inputs] : inputs;
    const sizes = [parts.reduce((sum, size) => sum + size), ...hidden, outputs];
    for (const size of sizes) requireInteger('Mlp', 'layer size', size, { min: 1, max: 65_536 });
    this.layers = sizes.length - 1;
    this.activation = activation;
    for (let i = 0; i < this.layers; i++) {
      const shape: [number, number] = [sizes[i] as number, sizes[i + 1] as number];
      const flat = lastKernel !== undefined && i === this.layers - 1;
      this.variables[`kernel${i}`] = flat
        ? constant<tf.Rank.R2>(shape, lastKernel)
        : lecunNormal(rng, i === 0 ? parts : [shape[0]], shape[1]);
      this.variables[`bias${i}`] = constant<tf.Rank.R1>([shape[1]], 0);
    }
  }

  /** `[B, inputs]` to `[B, outputs]`. */
  apply(x: tf.Tensor2D): tf.Tensor2D {
    return this.applyFrom(0, this.layer(0, x));
  }

  /** The rest of the network after the linear part of layer `layer`; lets a caller compute that part its own way. */
  applyFrom(layer: number, preactivation: tf.Tensor2D): tf.Tensor2D {
    let y = preactivation;
    for (let i = layer + 1; i < this.layers; i++) y = this.layer(i, this.activation(y) as tf.Tensor2D);
    return y;
  }

  private layer(i: number, x: tf.Tensor2D): tf.Tensor2D {
    return linear(x, this.variables[`kernel${i}`] as tf.Tensor2D, this.variables[`bias${i}`] as tf.Tensor1D);
  }

  dispose(): void {
    disposeVariables(this.variables);
  }
}
