import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { requireInteger, requireNamed } from '../errors.js';
import type { Activation } from '../ops/activations.js';
import { linear } from '../ops/linear.js';
import { split } from '../ops/pieces.js';
import { disposeVariables, prefixVariables, type Variables } from '../ops/variables.js';
import { requireOptions } from '../options.js';
import { type Rng, requireRng } from '../rng/rng.js';
import type { CriticFactory, CriticNetwork } from './criticNetwork.js';
import { Mlp } from './mlp.js';
import { withStep } from './withStep.js';

export interface TwinCriticOptions {
  observationSize: number;
  actionSize: number;
  /** Numbers that each head gives, default 1. */
  outputs?: number;
  /** Widths of the hidden layers, default `[256, 256]`. */
  hidden?: readonly number[];
  /** Default ReLU. */
  activation?: Activation;
}

/**
 * Two independent perceptrons from observation and action side by side to a value (or `outputs` numbers): the critics of TD3,
 * SAC and SDAC.
 */
export class TwinCritic<Head extends tf.Tensor1D | tf.Tensor2D = tf.Tensor1D> implements CriticNetwork {
  readonly variables: Variables;
  private readonly heads: Mlp[];
  private readonly sizes: [number, number];
  private readonly outputs: number;

  /** @throws ArgumentError for sizes below 1 */
  constructor(rng: Rng, options: TwinCriticOptions) {
    const {
      observationSize,
      actionSize,
      outputs = 1,
      hidden = [256, 256],
      activation = tf.relu,
    } = requireNamed('TwinCritic', options);
    requireRng('TwinCritic', rng);
    requireInteger('TwinCritic', 'observationSize', observationSize, { min: 1 });
    requireInteger('TwinCritic', 'actionSize', actionSize, { min: 1 });
    this.sizes = [observationSize, actionSize];
    this.outputs = outputs;
    const inputs = observationSize + actionSize;
    this.heads = [0, 1].map((i) => new Mlp(rng.split(`head${i}`), { inputs, hidden, outputs, activation }));
    this.variables = Object.assign({}, ...this.heads.map((head, i) => prefixVariables(`head${i}`, head.variables)));
  }

  /** The outputs of both heads for observations `[B, O]` and actions `[B, A]`: `[B]` each, or `[B, outputs]` if more than 1. */
  apply(observations: tf.Tensor2D, actions: tf.Tensor2D): [Head, Head] {
    const x = tf.concat([observations, actions], 1);
    return this.heads.map((head) => this.flat(head.apply(x))) as [Head, Head];
  }

  /**
   * The same as a function of actions `[B * groupSize, A]`, `groupSize` in a row for each of the observations `[B, O]`. The
   * first layer's part of the observation is computed once, and many rows are taken in blocks whose layers fit into a
   * processor's cache.
   */
  bind(observations: tf.Tensor2D, groupSize: number): (actions: tf.Tensor2D) => [Head, Head] {
    const blocks = blockSizes(observations.shape[0], groupSize);
    const rows = blocks.map((size) => size * groupSize);
    const heads = this.heads.map((head) => {
      const { actionKernel, part } = this.observationPart(head, observations);
      const parts = split(part, blocks);
      return (actions: tf.Tensor2D[]) =>
        actions.map((block, i) => {
          const product = tf.matMul(block, actionKernel) as tf.Tensor2D;
          return head.applyFrom(0, addToGroups(product, parts[i]!, groupSize));
        });
    });
    return (actions) => {
      const parts = split(actions, rows);
      return heads.map((head) => this.flat(tf.concat(head(parts)))) as [Head, Head];
    };
  }

  private flat(output: tf.Tensor2D): Head {
    return (this.outputs === 1 ? tf.reshape(output, [-1]) : output) as Head;
  }

  /** The first layer's kernel for the action, and the rest of the layer for `observations`, `[B, H]`. */
  private observationPart(head: Mlp, observations: tf.Tensor2D) {
    const kernels = tf.split(head.variables.kernel0 as tf.Tensor2D, this.sizes, 0);
    const [observationKernel, actionKernel] = kernels as [tf.Tensor2D, tf.Tensor2D];
    return { actionKernel, part: linear(observations, observationKernel, head.variables.bias0 as tf.Tensor1D) };
  }

  dispose(): void {
    disposeVariables(this.variables);
  }
}

/** A {@link TwinCritic} of other sizes as the `criticNetwork` of an agent. */
export function twinCritic(options: Pick<TwinCriticOptions, 'hidden' | 'activation'> = {}): CriticFactory {
  requireOptions('twinCritic', options, { hidden: true, activation: true });
  const make = withStep((rng, sizes) => new TwinCritic(rng, { ...options, ...sizes }));
  return described(make, twinCritic, options);
}

/** Rows of a layer that are computed together: at 256 units, 2 MiB. */
const BLOCK_ROWS = 2048;

/** `groups` in blocks of equal size, but the last, of at most {@link BLOCK_ROWS} rows (and one group). */
function blockSizes(groups: number, groupSize: number): number[] {
  const size = Math.max(1, Math.floor(BLOCK_ROWS / groupSize));
  return Array.from({ length: Math.ceil(groups / size) }, (_, i) => Math.min(size, groups - i * size));
}

/** Adds row i of `parts` `[B, H]` to every row of group i of `x` `[B * groupSize, H]`. */
function addToGroups(x: tf.Tensor2D, parts: tf.Tensor2D, groupSize: number): tf.Tensor2D {
  if (groupSize === 1) return tf.add(x, parts);
  const [groups, width] = parts.shape;
  const sum = tf.add(tf.reshape(x, [groups, groupSize, width]), tf.expandDims(parts, 1));
  return tf.reshape(sum, [groups * groupSize, width]);
}
