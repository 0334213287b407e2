import type * as tf from '@tensorflow/tfjs-core';
import { DdpmSampler, mishNetwork } from '../../diffusion/ddpm.js';
import { addNoise, noiseLevels } from '../../diffusion/noising.js';
import { denoisingScoreMatchingLoss } from '../../objectives/denoising.js';
import type { Rng } from '../../rng/rng.js';
import { matrix } from '../arrays.js';

/** What actions are noised with, to be denoised. */
export type NoisingTensors = {
  /** `[R, A]` */
  forwardNoise: tf.Tensor2D;
  /** `[R]` */
  step: tf.Tensor1D;
};

/** Draws {@link NoisingTensors} for `rows` actions. */
export function drawNoising({ sizes, schedule }: DdpmSampler, rng: Rng, rows: number) {
  return {
    forwardNoise: matrix(rng.normals(rows * sizes.actionSize), sizes.actionSize),
    step: { data: rng.integers(rows, schedule.steps), shape: [rows] },
  };
}

/** Noises `actions` `[R, A]` and returns the loss of denoising them at `observations` `[R, O]`; `weights` `[R]`. Traceable. */
export function denoising(
  sampler: DdpmSampler,
  { observations, actions }: { observations: tf.Tensor2D; actions: tf.Tensor2D },
  { forwardNoise, step }: NoisingTensors,
): (weights?: tf.Tensor1D) => tf.Scalar {
  const noised = addNoise(actions, forwardNoise, noiseLevels(sampler.schedule, step));
  return (weights) => {
    const predicted = sampler.predictNoise(noised, observations, step);
    return denoisingScoreMatchingLoss(predicted, forwardNoise, weights);
  };
}

/** The policy of DIPO and QVPO: a cosine chain that starts at standard deviation 1. */
export function cosinePolicy({
  diffusionSteps,
  policyHidden,
}: {
  diffusionSteps: number;
  policyHidden: readonly number[];
}) {
  const network = mishNetwork({ hidden: policyHidden, sinusoids: 32, timeHidden: 256 });
  return new DdpmSampler({ steps: diffusionSteps, startStd: 1, network });
}
