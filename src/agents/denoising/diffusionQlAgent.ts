import * as tf from '@tensorflow/tfjs-core';
import { DdpmSampler, mishNetwork } from '../../diffusion/ddpm.js';
import { adamOption } from '../../ops/adam.js';
import { integer, number, type OptionValues } from '../../options.js';
import { variancePreservingSchedule } from '../../schedules/variancePreserving.js';
import type { AgentOptions } from '../baseAgent.js';
import type { BatchTensors } from '../offPolicyAgent.js';
import type { Compiler } from '../program.js';
import { denoising, drawNoising, type NoisingTensors } from './noisedActions.js';
import { type ClimbTensors, ValueClimbingAgent, valueClimbingOptions } from './valueClimbingAgent.js';

const diffusionQlOptions = {
  ...valueClimbingOptions,
  diffusionSteps: integer(5, { min: 1 }, 'Steps of the variance-preserving chain.'),
  eta: number(1, { min: 0 }, 'Weight of the value beside denoising, with values in units of their mean size.'),
  policyAdam: adamOption({}, "Of the policy's optimiser."),
  criticAdam: adamOption({}, "Of the critics' optimiser."),
};

type Drawn = ClimbTensors & NoisingTensors;

export type DiffusionQlOptions = AgentOptions<typeof diffusionQlOptions>;

/**
 * Diffusion-QL (Wang et al. 2023, "Diffusion Policies as an Expressive Policy Class for Offline Reinforcement Learning"),
 * online: a DDPM policy that is kept near replay by denoising and drawn up the critics by gradients through its whole chain.
 * Targets take the action of a moving average of the policy. Exploring draws among `particles` actions by the softmax of the
 * smaller target value; evaluation takes the best of them. Defaults are those of the authors' code.
 *
 * @example
 * ```ts
 * const agent = await DiffusionQlAgent.create({ env, seed: 1 });
 * await train({ agent, env, steps: 100_000 });
 * ```
 */
export class DiffusionQlAgent extends ValueClimbingAgent<OptionValues<typeof diffusionQlOptions>, Drawn> {
  static readonly kind = 'DiffusionQlAgent';
  static readonly options = diffusionQlOptions;

  /** @throws ArgumentError for an option out of range or an unbounded action space */
  static create(options: DiffusionQlOptions): Promise<DiffusionQlAgent> {
    const make = (compiler: Compiler) => new DiffusionQlAgent(DiffusionQlAgent, options, compiler);
    return DiffusionQlAgent.make(DiffusionQlAgent, options, make);
  }

  readonly name = 'Diffusion-QL';

  protected newSampler(): DdpmSampler {
    const schedule = variancePreservingSchedule({ steps: this.options.diffusionSteps });
    return new DdpmSampler({ schedule, network: mishNetwork({ hidden: this.options.policyHidden }) });
  }

  protected drawPolicyNoise() {
    return { ...this.drawClimb(), ...drawNoising(this.sampler, this.noise, this.batchSize) };
  }

  /** Denoising of replayed actions, less the value of the chain's own in units of its mean size. */
  protected policyObjective(inputs: BatchTensors & Drawn) {
    const loss = denoising(this.sampler, inputs, inputs);
    return () => {
      const ofDenoising = loss();
      const value = this.climbed(inputs.observations, inputs);
      return { loss: tf.sub<tf.Scalar>(ofDenoising, tf.mul(value, this.options.eta)), denoising: ofDenoising };
    };
  }
}
