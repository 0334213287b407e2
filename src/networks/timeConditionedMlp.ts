import * as tf from '@tensorflow/tfjs-core';
import { requireInteger, requireNamed } from '../errors.js';
import { type Activation, gelu } from '../ops/activations.js';
import { rowsOf } from '../ops/linear.js';
import { repeatRows } from '../ops/repeatRows.js';
import { disposeVariables, prefixVariables, type Variables } from '../ops/variables.js';
import { type Rng, requireRng } from '../rng/rng.js';
import { Mlp } from './mlp.js';
import type { BoundNetwork, StepNetwork } from './stepNetwork.js';
import { fourierFeatures, TimeEmbedding, type TimeFeatures } from './timeEmbedding.js';

export interface TimeConditionedMlpOptions {
  observationSize: number;
  actionSize: number;
  /** Outputs, default `actionSize`. */
  outputs?: number;
  /** Widths of the trunk, default `[256, 256, 256]`. */
  hidden?: readonly number[];
  /** Default {@link gelu}. */
  activation?: Activation;
  /** Default {@link fourierFeatures}`(timeSize)`. */
  timeFeatures?: TimeFeatures;
  /** Width of the time embedding, default 256. */
  timeSize?: number;
  /** Width of its hidden layer, default `timeSize`. */
  timeHidden?: number;
  /** Value of every entry of the last kernel at the start, default 1e-8 (so the output starts at 0); `'normal'`: like the others. */
  lastKernel?: number | 'normal';
  /**
   * Whether latent, observation and step start with equal say in the first layer (default `false`: every number has,
   * as in DIME's released code, which leaves a small latent little of it).
   */
  balanced?: boolean;
  /** Outputs are clipped to [-limit, limit], default 1e4. */
  limit?: number;
}

/**
 * A perceptron on latent, raw observation and time embedding side by side: the control of DIME's released code, the noise
 * prediction of SDAC's and, with one output, the value of a latent. The first layer is linear in the three, so the parts
 * of observation and time are computed once per chain instead of once per step.
 */
export class TimeConditionedMlp implements StepNetwork {
  readonly variables: Variables;
  private readonly actionSize: number;
  private readonly time: TimeEmbedding;
  private readonly trunk: Mlp;
  private readonly limit: number;

  /** @throws ArgumentError for sizes below 1 */
  constructor(rng: Rng, options: TimeConditionedMlpOptions) {
    requireRng('TimeConditionedMlp', rng);
    const {
      observationSize,
      actionSize,
      hidden = [256, 256, 256],
      activation = gelu,
      timeSize = 256,
    } = requireNamed('TimeConditionedMlp', options);
    const {
      timeFeatures = fourierFeatures(timeSize),
      timeHidden = timeSize,
      lastKernel = 1e-8,
      limit = 1e4,
    } = options ?? {};
    requireInteger('TimeConditionedMlp', 'observationSize', observationSize, { min: 1 });
    this.actionSize = requireInteger('TimeConditionedMlp', 'actionSize', actionSize, { min: 1 });
    this.limit = limit;
    this.time = new TimeEmbedding(rng.split('time'), {
      features: timeFeatures,
      hidden: timeHidden,
      outputs: timeSize,
      activation,
    });
    const parts = [actionSize, observationSize, timeSize];
    this.trunk = new Mlp(rng.split('trunk'), {
      inputs: options.balanced ? parts : actionSize + observationSize + timeSize,
      hidden,
      outputs: options.outputs ?? actionSize,
      activation,
      lastKernel: lastKernel === 'normal' ? undefined : lastKernel,
    });
    this.variables = {
      ...prefixVariables('time', this.time.variables),
      ...prefixVariables('trunk', this.trunk.variables),
    };
  }

  bind(observations: tf.Tensor2D, steps: number, groupSize = 1): BoundNetwork {
    const { latentKernel, observation, time } = this.firstLayer(observations, steps);
    const timeAt = rowsOf(time);
    const repeated = repeatRows(observation, groupSize);
    return (x, step) => this.rest(tf.add(tf.matMul(x, latentKernel), tf.add(repeated, timeAt(step))));
  }

  /** The first layer's kernel for the latent `[A, H]`, and its finished parts for observations `[B, H]` and times `[steps, H]`. */
  private firstLayer(observations: tf.Tensor2D, steps: number) {
    const sizes = [this.actionSize, observations.shape[1], this.time.size];
    const [latentKernel, observationKernel, timeKernel] = tf.split(
      this.trunk.variables.kernel0 as tf.Tensor2D,
      sizes,
      0,
    );
    const embedding = this.time.apply(tf.range(0, steps, 1, 'float32'));
    return {
      latentKernel: latentKernel as tf.Tensor2D,
      observation: tf.matMul(observations, observationKernel as tf.Tensor2D) as tf.Tensor2D,
      time: tf.add(
        tf.matMul(embedding, timeKernel as tf.Tensor2D),
        this.trunk.variables.bias0 as tf.Tensor1D,
      ) as tf.Tensor2D,
    };
  }

  private rest(preactivation: tf.Tensor2D): tf.Tensor2D {
    return tf.clipByValue(this.trunk.applyFrom(0, preactivation), -this.limit, this.limit);
  }

  dispose(): void {
    disposeVariables(this.variables);
  }
}
