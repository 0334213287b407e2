import type * as tf from '@tensorflow/tfjs-core';
import type { Variables } from '../ops/variables.js';

/** A diffusion step, a whole number in 0 ... K - 1: one for all rows of a batch, or one a row, `[B]`. */
export type DiffusionStep = number | tf.Tensor1D;

/** A network at given observations: latents `[B, A]` and their diffusion step to `[B, A]`. */
export type BoundNetwork = (x: tf.Tensor2D, step: DiffusionStep) => tf.Tensor2D;

/**
 * A network that sees a latent, an observation and a diffusion step. What its output means (control, score, noise) is
 * up to the process that uses it.
 *
 * **Subclass requirements.** What `bind` returns gives the same rows for a step as a number and as one a row, and is
 * traceable (no reads, no data-dependent shapes). `variables` names everything trainable. Make constants in `bind`: a
 * sampler frees the variables and nothing else.
 */
export interface StepNetwork {
  readonly variables: Variables;
  /**
   * The network for observations `[B, O]` and the steps 0 ... `steps` - 1, with all that does not depend on the latent
   * computed once. Latents come `groupSize` (default 1) in a row for every observation.
   */
  bind(observations: tf.Tensor2D, steps: number, groupSize?: number): BoundNetwork;
  /** Frees the variables, for whoever has made it without a sampler. */
  dispose(): void;
}
