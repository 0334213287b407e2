import * as tf from '@tensorflow/tfjs-core';
import type { DdpmSampler } from '../../diffusion/ddpm.js';
import { ArgumentError, show } from '../../errors.js';
import { clipGlobalNorm } from '../../ops/clipGlobalNorm.js';
import { integer, number, type OptionValues } from '../../options.js';
import type { ReplayBatch } from '../../replay/replay.js';
import type { AgentOptions, Experience } from '../baseAgent.js';
import type { BatchTensors } from '../offPolicyAgent.js';
import type { Outputs } from '../program.js';
import { AveragedPolicyAgent, averagedPolicyOptions } from './averagedPolicyAgent.js';
import { cosinePolicy, denoising, drawNoising, type NoisingTensors } from './noisedActions.js';

const dipoOptions = {
  ...averagedPolicyOptions,
  diffusionSteps: integer(100, { min: 1 }, 'Steps of the cosine chain.'),
  warmupSteps: integer(10_000, { min: 0 }, 'Uniformly random environment steps at the start.'),
  actionSteps: integer(20, { min: 1 }, 'Steps of an action up the smaller value, in each gradient step that draws it.'),
  actionLearningRate: number(0.03, { above: 0 }, 'Of these steps, by Adam from a fresh state.'),
  actionGradientNorm: number(
    0.1,
    { above: 0 },
    'Largest norm of the slopes of a whole batch, for each dimension of the action.',
  ),
};

export type DipoOptions = AgentOptions<typeof dipoOptions>;

/**
 * DIPO (Yang et al. 2023, "Policy Representation via Diffusion Probability Model for Reinforcement Learning"): replay holds a
 * second action beside the one taken. Whenever a transition is drawn, its second action goes some steps up the critics and is
 * put back, and the policy learns to denoise it. Defaults are those of the authors' code, but that time limits are bootstrapped.
 * A replay of your own needs `rewriteActions` ({@link Replay}).
 *
 * @example
 * ```ts
 * const agent = await DipoAgent.create({ env, seed: 1 });
 * await train({ agent, env, steps: 100_000 });
 * ```
 */
export class DipoAgent extends AveragedPolicyAgent<OptionValues<typeof dipoOptions>, NoisingTensors> {
  static readonly kind = 'DipoAgent';
  static readonly options = dipoOptions;
  readonly name = 'DIPO';

  /** @throws ArgumentError for an option out of range, an unbounded action space or a replay that cannot rewrite actions */
  static create(options: DipoOptions): Promise<DipoAgent> {
    return DipoAgent.make(DipoAgent, options, (compiler) => new DipoAgent(DipoAgent, options, compiler));
  }

  private readonly rewriteActions = this.requireRewriting();

  protected newSampler(): DdpmSampler {
    return cosinePolicy(this.options);
  }

  /** The action taken, and the one that moves, which starts there. */
  protected override get storedSize(): number {
    return 2 * this.sizes.actionSize;
  }

  protected override stored({ transitions: { actions } }: Experience<never>): Float32Array {
    const { actionSize } = this.sizes;
    const twice = new Float32Array(2 * actions.length);
    for (let i = 0; i < actions.length; i += actionSize) {
      const action = actions.subarray(i, i + actionSize);
      twice.set(action, 2 * i);
      twice.set(action, 2 * i + actionSize);
    }
    return twice;
  }

  protected override taken(stored: tf.Tensor2D): tf.Tensor2D {
    return tf.slice(stored, [0, 0], [-1, this.sizes.actionSize]);
  }

  /** The start's alone, as in the authors' code. */
  protected override withoutExploring(noise: tf.Tensor): tf.Tensor {
    const isStart = Array.from({ length: this.sampler.schedule.steps }, (_, step) => Number(step === 0));
    return tf.mul(noise, tf.tensor3d(isStart, [isStart.length, 1, 1]));
  }

  protected drawPolicyNoise() {
    return drawNoising(this.sampler, this.noise, this.batchSize);
  }

  /** Denoising of the batch's second actions after their steps up the smaller value. */
  protected policyObjective(inputs: BatchTensors & NoisingTensors) {
    const { observations, actions } = inputs;
    const { actionSteps: steps, actionLearningRate: learningRate, actionGradientNorm } = this.options;
    const [taken, moving] = tf.split(actions, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
    const maxNorm = actionGradientNorm * this.sizes.actionSize;
    const improved = ascend(this.critic.bindMin(observations, 1), moving, { steps, learningRate, maxNorm });
    const stored = tf.concat([taken, improved], 1);
    const loss = denoising(this.sampler, { observations, actions: improved }, inputs);
    return () => ({ loss: loss(), stored });
  }

  private requireRewriting() {
    const { replay } = this;
    if (replay.rewriteActions) return replay.rewriteActions.bind(replay);
    throw new ArgumentError(`DipoAgent: replay must make one that has rewriteActions(); ${show(replay)} has none.`);
  }

  protected override metricsOf({ stored, ...metrics }: Outputs<string>, batch: ReplayBatch): Outputs<string> {
    if (batch.indices) this.rewriteActions(batch, stored as Float32Array);
    return metrics;
  }
}

/** How the actions move. */
interface Ascent {
  steps: number;
  learningRate: number;
  /** Largest norm of the gradient of all actions together. */
  maxNorm: number;
}

/** `actions` after some steps of Adam, from a fresh state, up the sum of their values; they stay in [-1, 1]. */
function ascend(
  value: (actions: tf.Tensor2D) => tf.Tensor1D,
  actions: tf.Tensor2D,
  { steps, learningRate, maxNorm }: Ascent,
): tf.Tensor2D {
  const slope = tf.grad((at) => tf.sum(value(at as tf.Tensor2D)));
  let [moved, first, second] = [actions, tf.zerosLike(actions), tf.zerosLike(actions)];
  for (let step = 1; step <= steps; step++) {
    const { gradient } = clipGlobalNorm({ gradient: slope(moved) }, maxNorm) as { gradient: tf.Tensor2D };
    first = tf.add(tf.mul(first, BETA1), tf.mul(gradient, 1 - BETA1));
    second = tf.add(tf.mul(second, BETA2), tf.mul(tf.square(gradient), 1 - BETA2));
    const deviation = tf.add(tf.sqrt(tf.div(second, 1 - BETA2 ** step)), EPSILON);
    const change: tf.Tensor2D = tf.mul(tf.div(first, deviation), learningRate / (1 - BETA1 ** step));
    const next: tf.Tensor2D = tf.add(moved, change);
    moved = tf.clipByValue(next, -1, 1);
  }
  return moved;
}

const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-5];
