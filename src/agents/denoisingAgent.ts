import * as tf from '@tensorflow/tfjs-core';
import { bestOf } from '../diffusion/bestOf.js';
import { type DdpmOptions, DdpmSampler } from '../diffusion/ddpm.js';
import { addNoise, noiseLevels } from '../diffusion/noising.js';
import { requireInteger, requireNumber } from '../errors.js';
import { TwinCritic } from '../networks/twinCritic.js';
import { denoisingScoreMatchingLoss } from '../objectives/denoising.js';
import type { Activation } from '../ops/activations.js';
import { Adam, type LearningRate } from '../ops/adam.js';
import { moveTowards } from '../ops/ema.js';
import { lossAndGradients } from '../ops/gradients.js';
import { linearDecay } from '../ops/linearDecay.js';
import { variablesAsState } from '../ops/variables.js';
import type { ReplayBatch } from '../replay/replayBuffer.js';
import { Rng } from '../rng/rng.js';
import type { StateArray, Stateful } from '../state.js';
import type { ActOptions, Metrics } from './agent.js';
import { matrix, vector } from './arrays.js';
import type { PolicyGraph } from './exportOnnx.js';
import { OffPolicyAgent, type OffPolicyOptions } from './legacyOffPolicyAgent.js';
import type { Arrays, Compiler, Program } from './legacyProgram.js';
import { NoiseLevel, type NoiseLevelOptions } from './noiseLevel.js';

/** @inline */
type Tensors = Record<string, tf.Tensor>;

export interface DenoisingOptions extends OffPolicyOptions {
  /** The policy's chain; default: 20 steps of the cosine schedule, SDAC's network. */
  diffusion?: DdpmOptions;
  /** Actions drawn for an observation when acting, of which the critics pick one; >= 1, default 32. */
  particles?: number;
  /** The same for the next actions in updates, >= 1, default 4. */
  targetParticles?: number;
  /** Widths of the critics' hidden layers, default `[256, 256]`. */
  criticHidden?: readonly number[];
  /** Of the critics, default ReLU. */
  criticActivation?: Activation;
  /** Factor on rewards, > 0, default 0.2. */
  rewardScale?: number;
  /** Temperature of the values and scale of exploration, see {@link NoiseLevel}. */
  noiseLevel?: NoiseLevelOptions;
  /** Standard deviation of the noise added to chosen actions, in noise levels; >= 0, default 0.1. */
  explorationNoise?: number;
  /** Whether noisy next actions are clipped to [-1, 1] in updates, default `true`. (Environments always get clipped ones.) */
  clipNoisyActions?: boolean;
  /** The policy and all target networks move at every so many critic updates, >= 1, default 2. */
  policyDelay?: number;
  /** How far target networks move, in [0, 1]; default 0.005. */
  targetRate?: number;
  /** Default: 3e-4 for 25 000 policy updates, then linearly to 3e-5 over 50 000. */
  policyLearningRate?: LearningRate;
  /** Default 3e-4. */
  criticLearningRate?: LearningRate;
}

/** Clean actions with noise added: what the policy's network is trained on. */
export interface NoisedActions {
  /** `[B, O]` */
  observations: tf.Tensor2D;
  /** `[B, A]` */
  clean: tf.Tensor2D;
  /** `[B, A]`, standard normal */
  noise: tf.Tensor2D;
  /** `[B]`, noising order */
  step: tf.Tensor1D;
  /** `[B, A]` */
  noised: tf.Tensor2D;
}

/** What the predicted noise is regressed on. */
export interface Regression {
  /** `[B, A]` */
  noise: tf.Tensor2D;
  /** `[B]`, default: all 1. */
  weights?: tf.Tensor1D;
  /** Scalars to report. */
  metrics: Tensors;
}

/**
 * What SDAC and DPMD have in common: a DDPM policy trained by regression on noise, twin critics with target networks, best-of-N
 * action selection, and a noise level that falls by schedule. The Bellman target carries no entropy; time limits are
 * bootstrapped, terminations are not. Acting uses the moving average of the policy with the online critics, updates use the
 * online policy.
 *
 * One update is one graph, in which every loss is computed from the parameters before it; updates that are not due for the
 * policy compute nothing of it.
 *
 * **Subclass requirements.** `regression` returns constants; it is traceable and takes its randomness from inputs that
 * `policyInputs` draws. What it assigns (running statistics) belongs into `parts`.
 */
export abstract class DenoisingAgent extends OffPolicyAgent {
  /** The policy that learns. */
  readonly sampler: DdpmSampler;
  /** Its moving average, the policy that acts. */
  readonly targetSampler: DdpmSampler;
  /** The critics that learn; they also choose among actions. */
  readonly critic: TwinCritic;
  /** Temperature of the values and scale of exploration. */
  readonly noiseLevel: NoiseLevel;
  /** Actions to choose from when acting. */
  readonly particles: number;
  /** Actions to choose from in updates. */
  readonly targetParticles: number;
  /** The policy and all target networks move at every so many critic updates. */
  readonly policyDelay: number;
  protected readonly parts: Record<string, Stateful>;
  readonly config;
  /** Adam steps that a critic gradient is used for. */
  protected readonly criticSteps: number = 1;

  private readonly targetCritic: TwinCritic;
  private readonly policyAdam: Adam;
  private readonly criticAdam: Adam;
  private readonly gamma: number;
  private readonly rewardScale: number;
  private readonly explorationNoise: number;
  private readonly clipNoisyActions: boolean;
  private readonly targetRate: number;
  private readonly actProgram: Program<'observations' | 'noise', 'actions'>;
  private readonly criticProgram: Program<string, string>;
  private readonly policyProgram: Program<string, string>;

  protected constructor(where: string, options: DenoisingOptions, compiler: Compiler) {
    super(options);
    const { seed = 0, diffusion, noiseLevel, criticHidden = [256, 256], criticActivation } = options;
    const { policyLearningRate = linearDecay({ from: 3e-4, to: 3e-5, hold: 25_000, over: 50_000 }) } = options;
    const { clipNoisyActions = true, criticLearningRate } = options;
    this.particles = requireInteger(where, 'particles', options.particles ?? 32, { min: 1 });
    this.targetParticles = requireInteger(where, 'targetParticles', options.targetParticles ?? 4, { min: 1 });
    this.policyDelay = requireInteger(where, 'policyDelay', options.policyDelay ?? 2, { min: 1 });
    this.gamma = requireNumber(where, 'gamma', options.gamma ?? 0.99, { min: 0, below: 1 });
    this.rewardScale = requireNumber(where, 'rewardScale', options.rewardScale ?? 0.2, { above: 0 });
    this.explorationNoise = requireNumber(where, 'explorationNoise', options.explorationNoise ?? 0.1, { min: 0 });
    this.targetRate = requireNumber(where, 'targetRate', options.targetRate ?? 0.005, { min: 0, max: 1 });
    this.clipNoisyActions = clipNoisyActions;
    this.noiseLevel = new NoiseLevel(noiseLevel);

    const rng = Rng.fromSeed(seed).split('networks');
    const sizes = { observationSize: this.observationSpace.size, actionSize: this.actionSpace.size };
    const criticOptions = { ...sizes, hidden: criticHidden, activation: criticActivation };
    const newCritic = () => new TwinCritic(rng.split('critic'), criticOptions);
    this.sampler = new DdpmSampler(diffusion).build(rng.split('policy'), sizes);
    this.targetSampler = this.sampler.twin();
    [this.critic, this.targetCritic] = [newCritic(), newCritic()];
    this.policyAdam = new Adam(this.sampler.variables, { learningRate: policyLearningRate });
    this.criticAdam = new Adam(this.critic.variables, { learningRate: criticLearningRate });
    this.parts = {
      policy: variablesAsState(this.sampler.variables),
      targetPolicy: variablesAsState(this.targetSampler.variables),
      critic: variablesAsState(this.critic.variables),
      targetCritic: variablesAsState(this.targetCritic.variables),
      policyAdam: this.policyAdam,
      criticAdam: this.criticAdam,
      noiseLevel: this.noiseLevel,
    };
    const { name: schedule, steps } = this.sampler.schedule;
    this.config = { seed, schedule, steps, criticHidden: [...criticHidden], gamma: this.gamma };

    this.actProgram = compiler(({ observations, noise }) => ({
      actions: this.bestActions(this.targetSampler, observations as tf.Tensor2D, noise as tf.Tensor, this.particles),
    }));
    this.criticProgram = compiler((inputs) => this.updateStep(inputs, false));
    this.policyProgram = compiler((inputs) => this.updateStep(inputs, true));
  }

  /** What the policy regresses on. */
  protected abstract regression(actions: NoisedActions, inputs: Tensors): Regression;

  /** Further arrays for {@link regression}, by name. */
  protected policyInputs(): Arrays {
    return {};
  }

  /** States and actions to add noise to: by default the next states with the actions that the critics' target was made of. */
  protected policyData(inputs: Tensors, nextActions: tf.Tensor2D): { observations: tf.Tensor2D; clean: tf.Tensor2D } {
    return { observations: inputs.nextObservations as tf.Tensor2D, clean: nextActions };
  }

  /** Noise-free and a function of each observation alone where `explore` is `false`. */
  protected async policy(
    observations: Float32Array,
    rows: number,
    { explore = true }: ActOptions,
  ): Promise<Float32Array> {
    const noise = this.chainNoise(rows, this.particles, explore ? undefined : observations);
    const { actions } = await this.actProgram({
      observations: matrix(observations, this.observationSpace.size),
      noise,
    });
    if (!explore) return actions;
    const exploration = this.exploration(rows).data;
    return actions.map((action, i) => action + (exploration[i] as number));
  }

  policyGraph(rows: number): PolicyGraph {
    return {
      inputs: {
        observation: { shape: [rows, this.observationSpace.size] },
        noise: { shape: this.sampler.noiseShape(rows * this.particles) },
      },
      program: ({ observation, noise }) => ({
        action: this.bestActions(this.targetSampler, observation, noise, this.particles),
      }),
    };
  }

  /** One critic update, with one of the policy and the target networks where it is due. */
  async learn(batch: ReplayBatch): Promise<Metrics> {
    const inputs: Arrays = {
      observations: matrix(batch.observations, this.observationSpace.size),
      actions: matrix(batch.actions, this.actionSpace.size),
      rewards: vector(batch.rewards),
      nextObservations: matrix(batch.nextObservations, this.observationSpace.size),
      terminated: vector(batch.terminated),
      nextNoise: this.chainNoise(this.batchSize, this.targetParticles),
      nextExploration: this.exploration(this.batchSize),
    };
    const trainsPolicy = this.updates % this.policyDelay === 0;
    const results = trainsPolicy
      ? await this.policyProgram({ ...inputs, ...this.noisingInputs(), ...this.policyInputs() })
      : await this.criticProgram(inputs);
    this.updates++;
    const metrics = Object.entries(results).map(([name, [value]]) => [name, value as number]);
    const noiseLevel = this.noiseLevel.value;
    this.noiseLevel.advance();
    return { ...Object.fromEntries(metrics), noiseLevel };
  }

  private updateStep(inputs: Tensors, trainsPolicy: boolean): Tensors {
    const nextActions = this.noisyActions(
      inputs.nextObservations as tf.Tensor2D,
      inputs.nextNoise!,
      inputs.nextExploration!,
    );
    const critic = this.criticGradients(inputs, nextActions);
    const policy = trainsPolicy ? this.policyGradients(inputs, nextActions) : undefined;
    for (let i = 0; i < this.criticSteps; i++) this.criticAdam.apply(critic.gradients);
    if (!policy) return critic.metrics;
    this.policyAdam.apply(policy.gradients);
    moveTowards(this.targetCritic.variables, this.critic.variables, this.targetRate);
    moveTowards(this.targetSampler.variables, this.sampler.variables, this.targetRate);
    return { ...critic.metrics, ...policy.metrics };
  }

  /** Squared errors of both critics towards the smaller target value of the next state. */
  private criticGradients(inputs: Tensors, nextActions: tf.Tensor2D) {
    const next = this.targetCritic.bindMin(inputs.nextObservations as tf.Tensor2D, 1)(nextActions);
    const discounts = tf.mul(tf.sub(1, inputs.terminated!), this.gamma);
    const target = tf.add(tf.mul(inputs.rewards!, this.rewardScale), tf.mul(discounts, next));
    const { results, gradients } = lossAndGradients(this.critic.variables, () => {
      const [first, second] = this.critic.apply(inputs.observations as tf.Tensor2D, inputs.actions as tf.Tensor2D);
      const error = (value: tf.Tensor1D) => tf.mean(tf.square(tf.sub(value, target)));
      return { loss: tf.add(error(first), error(second)) as tf.Scalar, value: tf.mean(first) };
    });
    return { gradients, metrics: { criticLoss: results.loss, value: results.value as tf.Tensor } };
  }

  /** The predicted noise towards what {@link regression} says. */
  private policyGradients(inputs: Tensors, nextActions: tf.Tensor2D) {
    const { observations, clean } = this.policyData(inputs, nextActions);
    const [noise, step] = [inputs.forwardNoise as tf.Tensor2D, inputs.step as tf.Tensor1D];
    const noised = addNoise(clean, noise, noiseLevels(this.sampler.schedule, step));
    const target = this.regression({ observations, clean, noise, step, noised }, inputs);
    const { results, gradients } = lossAndGradients(this.sampler.variables, () => {
      const predicted = this.sampler.predictNoise(noised, observations, step);
      return { loss: denoisingScoreMatchingLoss(predicted, target.noise, target.weights) };
    });
    return { gradients, metrics: { policyLoss: results.loss, ...target.metrics } };
  }

  /** Actions `[B, A]` of the online policy with exploration noise. */
  protected noisyActions(observations: tf.Tensor2D, noise: tf.Tensor, exploration: tf.Tensor): tf.Tensor2D {
    const actions = this.bestActions(this.sampler, observations, noise, this.targetParticles);
    const noisy = tf.add(actions, exploration) as tf.Tensor2D;
    return this.clipNoisyActions ? tf.clipByValue(noisy, -1, 1) : noisy;
  }

  private bestActions(
    sampler: DdpmSampler,
    observations: tf.Tensor2D,
    noise: tf.Tensor,
    particles: number,
  ): tf.Tensor2D {
    const candidates = sampler.actions(observations, noise, particles);
    if (particles === 1) return candidates;
    return bestOf(candidates, this.critic.bindMin(observations, particles)(candidates), particles);
  }

  private noisingInputs(): Arrays {
    const [size, actionSize] = [this.batchSize, this.actionSpace.size];
    return {
      step: { data: this.noise.integers(size, this.sampler.schedule.steps), shape: [size] },
      forwardNoise: matrix(this.noise.normals(size * actionSize), actionSize),
      noiseLevel: { data: Float32Array.of(this.noiseLevel.value), shape: [] },
    };
  }

  /** Noise for the chain of `particles` actions for each of `rows` observations; with `observations`, a function of them. */
  protected chainNoise(rows: number, particles: number, observations?: Float32Array): StateArray {
    const shape = this.sampler.noiseShape(rows * particles);
    if (observations) return { data: this.sampler.observationNoise(observations, particles), shape };
    return { data: this.noise.normals(tf.util.sizeFromShape(shape)), shape };
  }

  /** What is added to chosen actions, `[rows, A]`. */
  protected exploration(rows: number): StateArray {
    const { size } = this.actionSpace;
    return matrix(this.noise.normals(rows * size, 0, this.explorationNoise * this.noiseLevel.value), size);
  }

  dispose(): void {
    for (const program of [this.actProgram, this.criticProgram, this.policyProgram]) program.dispose();
    for (const part of [this.sampler, this.targetSampler, this.critic, this.targetCritic]) part.dispose();
    for (const adam of [this.policyAdam, this.criticAdam]) adam.dispose();
  }
}
