import * as tf from '@tensorflow/tfjs-core';
import { bestOf } from '../../diffusion/bestOf.js';
import type { DdpmSampler } from '../../diffusion/ddpm.js';
import { learningRateOption } from '../../ops/adam.js';
import { repeatRows } from '../../ops/repeatRows.js';
import { integer, number, type OptionValues } from '../../options.js';
import type { AgentOptions } from '../baseAgent.js';
import type { BatchTensors } from '../offPolicyAgent.js';
import { AveragedPolicyAgent, averagedPolicyOptions } from './averagedPolicyAgent.js';
import { cosinePolicy, denoising, drawNoising, type NoisingTensors } from './noisedActions.js';

const qvpoOptions = {
  ...averagedPolicyOptions,
  diffusionSteps: integer(20, { min: 1 }, 'Steps of the cosine chain.'),
  warmupSteps: integer(10_000, { min: 0 }, 'Uniformly random environment steps at the start.'),
  particles: integer(4, { min: 1 }, 'Actions drawn when exploring, of which the critics pick one.'),
  evaluationParticles: integer(32, { min: 1 }, 'The same without exploring.'),
  targetParticles: integer(4, { min: 1 }, "The same in the critics' targets, by the target critics."),
  candidates: integer(64, { min: 1 }, 'Actions of the policy for each state, of which it learns the best.'),
  uniformActions: integer(10, { min: 1 }, 'Uniform actions that it learns beside the best, for entropy.'),
  entropyWeight: number(0.02, { min: 0 }, "Their weight at the start, in the best action's."),
  entropyWeightEnd: number(0.002, { min: 0 }, 'The same at the end.'),
  entropySteps: integer(1_000_000, { min: 1 }, 'Gradient steps from one to the other, linearly.'),
  policyLearningRate: learningRateOption(1e-4, 'Of the policy.'),
};

/** All rows that are learned are noised: the best actions, then the uniform ones. */
type Drawn = NoisingTensors & {
  /** Of the chains that make the candidates. */
  candidateNoise: tf.Tensor;
  /** `[B * uniformActions, A]` in [-1, 1] */
  uniformActions: tf.Tensor2D;
  entropyWeight: tf.Scalar;
};

export type QvpoOptions = AgentOptions<typeof qvpoOptions>;

/**
 * QVPO (Ding et al. 2024, "Diffusion-based Reinforcement Learning via Q-weighted Variational Policy Optimization"): the policy
 * denoises the best of many actions of its own, weighted by how much better than their mean it is, and, for entropy, uniform
 * actions with a small part of that weight. Defaults are those of the authors' code with `--weighted --aug` (the weights
 * `qadv`), but that time limits are bootstrapped.
 *
 * @example
 * ```ts
 * const agent = await QvpoAgent.create({ env, seed: 1 });
 * await train({ agent, env, steps: 100_000 });
 * ```
 */
export class QvpoAgent extends AveragedPolicyAgent<OptionValues<typeof qvpoOptions>, Drawn> {
  static readonly kind = 'QvpoAgent';
  static readonly options = qvpoOptions;
  readonly name = 'QVPO';

  /** @throws ArgumentError for an option out of range or an unbounded action space */
  static create(options: QvpoOptions): Promise<QvpoAgent> {
    return QvpoAgent.make(QvpoAgent, options, (compiler) => new QvpoAgent(QvpoAgent, options, compiler));
  }

  protected newSampler(): DdpmSampler {
    return cosinePolicy(this.options);
  }

  protected drawPolicyNoise() {
    const { candidates, uniformActions } = this.options;
    const { actionSize } = this.sizes;
    const uniform = this.batchSize * uniformActions;
    return {
      candidateNoise: this.chainNoise(candidates),
      uniformActions: { data: this.noise.uniforms(uniform * actionSize, -1, 1), shape: [uniform, actionSize] },
      ...drawNoising(this.sampler, this.noise, this.batchSize + uniform),
      entropyWeight: { data: Float32Array.of(this.entropyWeight), shape: [] },
    };
  }

  /** Weight of uniform actions in this update, in that of the best action. */
  private get entropyWeight(): number {
    const { entropyWeight: from, entropyWeightEnd: to, entropySteps } = this.options;
    return from + (to - from) * Math.min(this.updates / entropySteps, 1);
  }

  protected policyObjective(inputs: BatchTensors & Drawn) {
    const { observations, candidateNoise, entropyWeight } = inputs;
    const { uniformActions: copies } = this.options;
    const { best, advantage } = this.bestCandidates(observations, candidateNoise);
    const clean = tf.concat([best, inputs.uniformActions]);
    const seen = tf.concat([observations, repeatRows(observations, copies)]);
    const shared: tf.Tensor1D = tf.mul(advantage, entropyWeight);
    const repeated = tf.reshape<tf.Rank.R1>(repeatRows(tf.expandDims(shared, 1), copies), [-1]);
    const weights = tf.concat([advantage, repeated]);
    const loss = denoising(this.sampler, { observations: seen, actions: clean }, inputs);
    return () => ({ loss: loss(weights), advantage: tf.mean(advantage) });
  }

  /** For each state the best of the policy's actions, and how much better than their mean it is by the smaller value. */
  private bestCandidates(observations: tf.Tensor2D, noise: tf.Tensor) {
    const { candidates } = this.options;
    const actions = this.sampler.actions(observations, noise, candidates);
    const values = this.critic.bindMin(observations, candidates)(actions);
    const grouped = tf.reshape(values, [-1, candidates]);
    return {
      best: bestOf(actions, values, candidates),
      advantage: tf.sub(tf.max(grouped, 1), tf.mean(grouped, 1)) as tf.Tensor1D,
    };
  }
}
