import * as tf from '@tensorflow/tfjs-core';
import type { DdpmSampler } from '../../diffusion/ddpm.js';
import type { ParticleSampler } from '../../diffusion/sampler.js';
import { stopGradient } from '../../ops/stopGradient.js';
import { integer, number, type OptionValues } from '../../options.js';
import type { StateArray } from '../../state.js';
import { matrix } from '../arrays.js';
import type { NoiseSource } from '../noiseSource.js';
import { AveragedPolicyAgent, averagedPolicyOptions } from './averagedPolicyAgent.js';

/** Options of {@link ValueClimbingAgent}. */
export const valueClimbingOptions = {
  ...averagedPolicyOptions,
  diffusionSteps: integer(5, { min: 1 }, 'Steps of the chain.'),
  particles: integer(50, { min: 1 }, 'Actions of which one is drawn by the softmax of their values when exploring.'),
  evaluationParticles: integer(50, { min: 1 }, 'Actions of which the target critics pick one without exploring.'),
  averageEvery: integer(5, { min: 1 }, 'Gradient steps between two moves of the average policy.'),
  averageAfter: integer(1000, { min: 0 }, 'Gradient steps before its first move.'),
  maxGradientNorm: number(10, { above: 0 }, 'Largest norm of the gradients of policy and of critics.'),
};

/** What a climb needs to be drawn. */
export type ClimbTensors = {
  /** Of the chain that is climbed with. */
  currentNoise: tf.Tensor;
  /** 1 where the value is the first critic's over the size of the second's, 0 for the other way round. */
  side: tf.Scalar;
};

/**
 * What Diffusion-QL and Consistency-AC have in common: gradients of the value go through the policy's whole chain, with values
 * in units of their mean size; exploring draws among `particles` actions by the softmax of the smaller target value,
 * evaluation takes the best.
 *
 * **Subclass requirements.** Those of {@link AveragedPolicyAgent}; `drawPolicyNoise` holds `drawClimb`.
 */
export abstract class ValueClimbingAgent<
  Options extends OptionValues<typeof valueClimbingOptions>,
  Own extends Record<string, tf.Tensor> & ClimbTensors,
  Policy extends ParticleSampler = DdpmSampler,
> extends AveragedPolicyAgent<Options, Own, Policy> {
  private readonly candidates = this.program((inputs: { observations: tf.Tensor2D; noise: tf.Tensor }) => {
    const actions = this.sampler.actions(inputs.observations, inputs.noise, this.options.particles);
    return { actions, values: this.judge.bindMin(inputs.observations, this.options.particles)(actions) };
  });

  protected override get judge() {
    return this.targetCritic;
  }

  protected override async policy(observations: Float32Array, rows: number, draw: NoiseSource, explore: boolean) {
    if (!explore) return super.policy(observations, rows, draw, explore);
    const { particles } = this.options;
    const noise = draw((n) => this.sampler.noiseShape(n * particles), rows);
    const seen = matrix(observations, this.sizes.observationSize);
    const { actions, values } = await this.candidates({ observations: seen, noise });
    const { actionSize } = this.sizes;
    const chosen = new Float32Array(rows * actionSize);
    for (let row = 0; row < rows; row++) {
      const own = values.subarray(row * particles, (row + 1) * particles);
      const from = row * particles + softmaxDraw(own, this.noise.uniform());
      chosen.set(actions.subarray(from * actionSize, (from + 1) * actionSize), row * actionSize);
    }
    return { actions: chosen };
  }

  protected drawClimb(): { [Name in keyof ClimbTensors]: StateArray } {
    return {
      currentNoise: this.chainNoise(),
      side: { data: Float32Array.of(this.noise.integer(2)), shape: [] },
    };
  }

  /** The mean value of the chain's own actions by one critic, in units of the other's mean size. */
  protected climbed(observations: tf.Tensor2D, { currentNoise, side }: ClimbTensors): tf.Scalar {
    const [first, second] = this.critic.apply(observations, this.sampler.actions(observations, currentNoise));
    return tf.add(tf.mul(side, relative(first, second)), tf.mul(tf.sub(1, side), relative(second, first)));
  }
}

/** The mean of `values` in units of the mean size of `others`. */
function relative(values: tf.Tensor1D, others: tf.Tensor1D): tf.Scalar {
  return tf.div(tf.mean(values), stopGradient(tf.maximum(tf.mean(tf.abs(others)), 1e-6)));
}

/** A place drawn with probabilities softmax(values), from a uniform number in [0, 1). */
function softmaxDraw(values: Float32Array, uniform: number): number {
  const top = Math.max(...values);
  const weights = values.map((value) => Math.exp(value - top));
  let left = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  const chosen = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return chosen < 0 ? values.indexOf(top) : chosen;
}
