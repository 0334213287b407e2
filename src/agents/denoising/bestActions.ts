import type * as tf from '@tensorflow/tfjs-core';
import { bestOf } from '../../diffusion/bestOf.js';
import type { ParticleSampler } from '../../diffusion/sampler.js';
import type { ActionValues } from '../../objectives/actionValues.js';
import type { PolicyGraph } from '../exportOnnx.js';

/** A policy, and who judges its actions. */
export interface Chooser {
  sampler: ParticleSampler;
  critic: ActionValues;
  /** Actions drawn for an observation. */
  particles: number;
  /** What of the noise the chain takes; default all of it. */
  noise?: (noise: tf.Tensor) => tf.Tensor;
}

/** The best by the smaller value of `particles` actions for each observation, `[B, A]`; traceable. */
export function bestActions(
  { sampler, critic, particles, noise: taken = (all) => all }: Chooser,
  observations: tf.Tensor2D,
  noise: tf.Tensor,
): tf.Tensor2D {
  const candidates = sampler.actions(observations, taken(noise), particles);
  if (particles === 1) return candidates;
  return bestOf(candidates, critic.bindMin(observations, particles)(candidates), particles);
}

/** {@link bestActions} for `rows` observations, as it is exported. */
export function bestActionsGraph(chooser: Chooser, rows: number, observationSize: number): PolicyGraph {
  return {
    inputs: {
      observation: { shape: [rows, observationSize] },
      noise: { shape: chooser.sampler.noiseShape(rows * chooser.particles) },
    },
    program: ({ observation, noise }) => ({ action: bestActions(chooser, observation, noise) }),
  };
}
