import * as tf from '@tensorflow/tfjs-core';
import { ConsistencySampler } from '../../diffusion/consistency.js';
import { adamOption, learningRateOption } from '../../ops/adam.js';
import { integer, number, type OptionValues } from '../../options.js';
import type { AgentOptions, Experience } from '../baseAgent.js';
import type { NoiseSource } from '../noiseSource.js';
import { type BatchTensors, updatesPerTransition } from '../offPolicyAgent.js';
import type { Compiler } from '../program.js';
import { StepCounter } from '../stepCounter.js';
import { type ClimbTensors, ValueClimbingAgent, valueClimbingOptions } from './valueClimbingAgent.js';

const consistencyAcOptions = {
  ...valueClimbingOptions,
  updatesPerTransition: updatesPerTransition(0.125),
  warmupSteps: integer(0, { min: 0 }, 'Uniformly random environment steps at the start, besides those of randomShare.'),
  bufferCapacity: { ...integer(100_000, { min: 1 }, 'Transitions kept for replay.'), local: true },
  diffusionSteps: integer(5, { min: 1 }, 'Calls of the consistency function for an action.'),
  firstTime: number(80, { above: 2 }, "Noise level of the chain's start; that of the last call is 2."),
  randomShare: number(1, { min: 0, max: 1 }, 'Share of uniformly random actions in exploring, at the start.'),
  randomShareEnd: number(0.01, { min: 0, max: 1 }, 'The same at the end.'),
  randomShareSteps: integer(200_000, { min: 1 }, 'Environment steps from one to the other, linearly.'),
  maxGradientNorm: number(9, { above: 0 }, 'Largest norm of the gradients of policy and of critics.'),
  policyLearningRate: learningRateOption(1e-5, 'Of the policy.'),
  policyAdam: adamOption({}, "Of the policy's optimiser."),
  criticAdam: adamOption({}, "Of the critics' optimiser."),
};

export type ConsistencyAcOptions = AgentOptions<typeof consistencyAcOptions>;

/**
 * Consistency-AC (Ding & Jin 2024, "Consistency Models as a Rich and Efficient Policy Class for Reinforcement Learning"), online:
 * a consistency function of few calls that is drawn up the critics by gradients through all of them. As in the authors' code
 * for learning online, nothing but the value trains the policy: the consistency loss belongs to its offline form. Targets take
 * the action of a moving average of the policy. Exploring draws among `particles` actions by the softmax of the smaller
 * target value, and a falling share of actions uniformly; evaluation takes the best of `evaluationParticles`. Defaults are
 * those of the authors' code for HalfCheetah and 1,000,000 steps of two environments, but that time limits are bootstrapped.
 *
 * @example
 * ```ts
 * const agent = await ConsistencyAcAgent.create({ env, seed: 1, policyLearningRate: 3e-4, updatesPerTransition: 1 });
 * await train({ agent, env, steps: 100_000 });
 * ```
 */
export class ConsistencyAcAgent extends ValueClimbingAgent<
  OptionValues<typeof consistencyAcOptions>,
  ClimbTensors,
  ConsistencySampler
> {
  static readonly kind = 'ConsistencyAcAgent';
  static readonly options = consistencyAcOptions;

  /** @throws ArgumentError for an option out of range or an unbounded action space */
  static create(options: ConsistencyAcOptions): Promise<ConsistencyAcAgent> {
    const make = (compiler: Compiler) => new ConsistencyAcAgent(ConsistencyAcAgent, options, compiler);
    return ConsistencyAcAgent.make(ConsistencyAcAgent, options, make);
  }

  readonly name = 'Consistency-AC';
  private readonly seen = this.own('seen', new StepCounter());

  protected newSampler(): ConsistencySampler {
    const { diffusionSteps: steps, firstTime, policyHidden: hidden } = this.options;
    return new ConsistencySampler({ steps, firstTime, hidden });
  }

  protected override async policy(observations: Float32Array, rows: number, draw: NoiseSource, explore: boolean) {
    const { actions } = await super.policy(observations, rows, draw, explore);
    if (!explore) return { actions };
    const { actionSize } = this.sizes;
    const share = this.randomShare;
    for (let row = 0; row < rows; row++) {
      if (this.noise.uniform() < share) actions.set(this.noise.uniforms(actionSize, -1, 1), row * actionSize);
    }
    return { actions };
  }

  /** Share of actions that are drawn uniformly now. */
  private get randomShare(): number {
    const { randomShare: from, randomShareEnd: to, randomShareSteps } = this.options;
    return from + (to - from) * Math.min(this.seen.value / randomShareSteps, 1);
  }

  protected override experience(experience: Experience<never>): void {
    super.experience(experience);
    this.seen.value += experience.transitions.rewards.length;
  }

  protected drawPolicyNoise() {
    return this.drawClimb();
  }

  /** Up the value of the chain's own actions in units of its mean size. */
  protected policyObjective(inputs: BatchTensors & ClimbTensors) {
    return () => ({ loss: tf.neg(this.climbed(inputs.observations, inputs)) });
  }
}
