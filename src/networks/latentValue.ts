import * as tf from '@tensorflow/tfjs-core';
import { requireInteger } from '../errors.js';
import { prefixVariables, type Variables } from '../ops/variables.js';
import type { Rng } from '../rng/rng.js';
import { TimeConditionedMlp } from './timeConditionedMlp.js';

export interface LatentValueOptions {
  observationSize: number;
  actionSize: number;
  /** Number of step numbers: K for values of latents, K + 1 with that of the executed action. */
  levels: number;
  /** Independent networks, default 1; 2 for a twin critic. */
  heads?: number;
  /** Widths of the hidden layers, default `[256, 256]`. */
  hidden?: readonly number[];
  /** Width of the step embedding, default 64. */
  timeSize?: number;
}

/**
 * The soft value $U(s, x, k)$ of a latent x at diffusion step k: what the rest of the chain and the future are worth.
 * At level K it is the action value Q(s, a). Smooth in x (GELU), since actors are trained through it.
 */
export class LatentValue {
  readonly variables: Variables;
  private readonly heads: TimeConditionedMlp[];
  private readonly levels: number;

  /** @throws ArgumentError for sizes below 1 */
  constructor(rng: Rng, { levels, heads = 1, hidden = [256, 256], timeSize = 64, ...sizes }: LatentValueOptions) {
    this.levels = requireInteger('LatentValue', 'levels', levels, { min: 1 });
    requireInteger('LatentValue', 'heads', heads, { min: 1 });
    const options = {
      ...sizes,
      hidden,
      timeSize,
      outputs: 1,
      lastKernel: 'normal',
      balanced: true,
      limit: 1e9,
    } as const;
    this.heads = Array.from({ length: heads }, (_, i) => new TimeConditionedMlp(rng.split(`head${i}`), options));
    this.variables = Object.assign({}, ...this.heads.map((head, i) => prefixVariables(`head${i}`, head.variables)));
  }

  /**
   * The values of all heads, `[B]` each.
   *
   * @param x `[B, A]`, latents scaled to unit size, or actions at level K
   * @param level `[B]`, whole numbers in 0 ... levels - 1
   */
  apply(observations: tf.Tensor2D, x: tf.Tensor2D, level: tf.Tensor1D): tf.Tensor1D[] {
    return this.heads.map((head) => tf.reshape(head.bind(observations, this.levels)(x, level), [-1]) as tf.Tensor1D);
  }

  dispose(): void {
    for (const head of this.heads) head.dispose();
  }
}
