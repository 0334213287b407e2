import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { requireInteger, requireNamed } from '../errors.js';
import { layerNorm } from '../ops/layerNorm.js';
import { linear } from '../ops/linear.js';
import { disposeVariables, type Variables } from '../ops/variables.js';
import { requireOptions } from '../options.js';
import { type Rng, requireRng } from '../rng/rng.js';
import { type CriticFactory, twinHeads } from './criticNetwork.js';
import { constant, orthogonal } from './initializers.js';
import { withStep } from './withStep.js';

export interface BroNetOptions {
  inputs: number;
  /** Width of all hidden layers, default 512. */
  width?: number;
  /** Residual blocks, default 2. */
  blocks?: number;
  outputs: number;
  /** Gain of the last kernel, default sqrt(2); a small one makes the output start near 0. */
  lastGain?: number;
}

/**
 * BroNet (Nauman et al. 2024, figure 2): dense, layer norm, ReLU; then residual blocks of dense, layer norm, ReLU, dense,
 * layer norm; then dense. Orthogonal kernels of gain sqrt(2), zero biases.
 */
export class BroNet {
  readonly variables: Variables = {};
  private readonly blocks: number;

  /** @throws ArgumentError for sizes below 1 */
  constructor(rng: Rng, given: BroNetOptions) {
    const { inputs, width = 512, blocks = 2, outputs, lastGain = Math.SQRT2 } = requireNamed('BroNet', given);
    requireRng('BroNet', rng);
    for (const size of [inputs, width, outputs]) requireInteger('BroNet', 'layer size', size, { min: 1, max: 65_536 });
    this.blocks = requireInteger('BroNet', 'blocks', blocks, { min: 0 });
    this.addDense(rng, 'in', inputs, width);
    for (let i = 0; i < blocks; i++)
      for (const half of ['a', 'b']) this.addDense(rng, `block${i}${half}`, width, width);
    this.variables['out/kernel'] = orthogonal(rng, width, outputs, lastGain);
    this.variables['out/bias'] = constant<tf.Rank.R1>([outputs], 0);
  }

  /** `[B, inputs]` to `[B, outputs]`. */
  apply(x: tf.Tensor2D): tf.Tensor2D {
    let y = tf.relu(this.dense('in', x));
    for (let i = 0; i < this.blocks; i++) {
      y = tf.add(y, this.dense(`block${i}b`, tf.relu(this.dense(`block${i}a`, y))));
    }
    return linear(y, this.variables['out/kernel'] as tf.Tensor2D, this.variables['out/bias'] as tf.Tensor1D);
  }

  dispose(): void {
    disposeVariables(this.variables);
  }

  private addDense(rng: Rng, name: string, inputs: number, width: number): void {
    this.variables[`${name}/kernel`] = orthogonal(rng, inputs, width, Math.SQRT2);
    this.variables[`${name}/bias`] = constant<tf.Rank.R1>([width], 0);
    this.variables[`${name}/norm/scale`] = constant<tf.Rank.R1>([width], 1);
    this.variables[`${name}/norm/bias`] = constant<tf.Rank.R1>([width], 0);
  }

  /** A dense layer and its layer norm. */
  private dense(name: string, x: tf.Tensor2D): tf.Tensor2D {
    const at = (entry: string) => this.variables[`${name}/${entry}`] as tf.Tensor;
    const y = linear(x, at('kernel') as tf.Tensor2D, at('bias') as tf.Tensor1D);
    return layerNorm(y, at('norm/scale') as tf.Tensor1D, at('norm/bias') as tf.Tensor1D);
  }
}

/** Two {@link BroNet}s as the `criticNetwork` of an agent. */
export function broCritic(options: Pick<BroNetOptions, 'width' | 'blocks'> = {}): CriticFactory {
  requireOptions('broCritic', options, { width: true, blocks: true });
  const make = withStep((rng, { observationSize, actionSize, outputs }) =>
    twinHeads(rng, (own) => new BroNet(own, { ...options, inputs: observationSize + actionSize, outputs })),
  );
  return described(make, broCritic, options);
}
