import * as tf from '@tensorflow/tfjs-core';
import { EulerMaruyamaSampler } from '../diffusion/eulerMaruyama.js';
import type { DiffusionPath } from '../diffusion/path.js';
import { Sampler } from '../diffusion/sampler.js';
import { ArgumentError, requireInteger, requireNumber, requireOneOf, show } from '../errors.js';
import type { BatchRenormOptions } from '../networks/batchRenorm.js';
import { Mlp } from '../networks/mlp.js';
import { TwinCritic } from '../networks/twinCritic.js';
import { categoricalObjective, type Support } from '../objectives/categorical.js';
import type { CriticObjective } from '../objectives/criticObjective.js';
import { scalarObjective } from '../objectives/scalar.js';
import { Temperature } from '../objectives/temperature.js';
import { Adam, clipGradient } from '../ops/adam.js';
import { lossAndGradients } from '../ops/gradients.js';
import { withoutGradient } from '../ops/stopGradient.js';
import { prefixVariables, type Variables, variablesAsState } from '../ops/variables.js';
import type { ReplayBatch } from '../replay/replayBuffer.js';
import { Rng } from '../rng/rng.js';
import type { StateArray, Stateful } from '../state.js';
import type { Metrics } from './agent.js';
import { matrix, vector } from './arrays.js';
import type { ExportableAgent, PolicyGraph } from './exportOnnx.js';
import { OffPolicyAgent, type OffPolicyOptions } from './offPolicyAgent.js';
import { type Compiler, type Program, selectCompiler } from './program.js';
import { SaturationWarning } from './saturationWarning.js';

type Pair = [tf.Tensor2D, tf.Tensor2D];

export interface DimeOptions extends OffPolicyOptions {
  /** The policy's chain, its divergence included; default `new EulerMaruyamaSampler()`. Built by the agent. */
  sampler?: Sampler;
  /** Trajectories per observation in the actor update; default: as many as the divergence needs. */
  groupSize?: number;
  /** Actor updates come after every so many critic updates, default 3. */
  policyDelay?: number;
  /** `'categorical'` (default) or, for the paper's ablation, `'scalar'`. */
  critic?: 'categorical' | 'scalar';
  /** Returns that the categorical critic can represent, default -200 ... 200 with 101 atoms; see {@link dimePresets}. */
  support?: Support;
  /** Widths of both critic heads, default `[2048, 2048]`. */
  criticHidden?: readonly number[];
  batchRenorm?: BatchRenormOptions;
  /** Temperature at the start, default 1. */
  temperature?: number;
  /** Learning rate of the temperature, default 1e-3; 0 keeps it fixed. */
  temperatureLearningRate?: number;
  /** Run cost that the temperature steers to, per action dimension; default: the sampler's (4 for a diffusion chain). */
  targetRunCost?: number;
  /** Default 3e-4. */
  actorLearningRate?: number;
  /** Default 3e-4. */
  criticLearningRate?: number;
}

/** Noise of one update, standard normal: {@link Sampler.noiseShape} for the batch, and for batch times group size. */
export interface DimeNoise {
  critic: Float32Array;
  actor: Float32Array;
}

/**
 * DIME (Celik et al. 2025): maximum-entropy reinforcement learning with a diffusion policy. The policy's chain gives a
 * lower bound on its entropy; actor, critic and temperature use that bound where SAC uses the entropy. Critics are
 * CrossQ's: batch renormalisation, no target networks. Defaults are those of the released code.
 *
 * @example
 * ```ts
 * const agent = await DimeAgent.create({ env, seed: 1, ...dimePresets.gym });
 * await train({ agent, env, steps: 100_000 });
 * const action = await agent.act(observation, { explore: false });
 * ```
 */
export class DimeAgent extends OffPolicyAgent implements ExportableAgent {
  readonly name = 'DIME';
  readonly sampler: Sampler;
  protected readonly parts: Record<string, Stateful>;
  protected readonly config;

  private readonly critic: TwinCritic;
  private readonly objective: CriticObjective;
  private readonly temperature: Temperature;
  private readonly logZ?: Mlp;
  private readonly actorVariables: Variables;
  private readonly actorAdam: Adam;
  private readonly criticAdam: Adam;
  private readonly groupSize: number;
  private readonly policyDelay: number;
  private readonly gamma: number;
  private readonly targetRunCost: number;
  private readonly saturation = new SaturationWarning();

  private readonly actProgram: Program<'observations' | 'noise', 'actions'>;
  private readonly criticProgram: Program<keyof ReplayBatch | 'noise', 'criticLoss' | 'value' | 'saturation'>;
  private readonly actorProgram: Program<
    'observations' | 'noise',
    'actorLoss' | 'runCost' | 'entropyBound' | 'temperature'
  >;

  /**
   * Builds the networks; sizes are read from `env`.
   *
   * @throws ArgumentError for an option out of range or an unbounded action space
   */
  static async create(options: DimeOptions): Promise<DimeAgent> {
    return new DimeAgent(options, await selectCompiler(options.compile));
  }

  protected constructor(options: DimeOptions, compiler: Compiler) {
    super({ updatesPerStep: 2, ...options });
    const {
      seed = 0,
      critic = 'categorical',
      support = { min: -200, max: 200 },
      criticHidden = [2048, 2048],
    } = options;
    const {
      temperature = 1,
      temperatureLearningRate = 1e-3,
      actorLearningRate = 3e-4,
      criticLearningRate = 3e-4,
    } = options;
    const { batchRenorm, sampler = new EulerMaruyamaSampler() } = options;
    requireOneOf('DimeAgent', 'critic', critic, ['categorical', 'scalar']);
    this.gamma = requireNumber('DimeAgent', 'gamma', options.gamma ?? 0.99, { min: 0, below: 1 });
    this.policyDelay = requireInteger('DimeAgent', 'policyDelay', options.policyDelay ?? 3, { min: 1 });
    if (!(sampler instanceof Sampler)) {
      throw new ArgumentError(
        `DimeAgent: sampler must have log-densities, ${show(sampler)} has none; take one that extends Sampler.`,
      );
    }
    const { minGroupSize, logZ } = sampler.requirements;
    this.groupSize = requireInteger('DimeAgent', 'groupSize', options.groupSize ?? minGroupSize, { min: minGroupSize });
    this.objective = critic === 'categorical' ? categoricalObjective(support) : scalarObjective();
    const perDimension = requireNumber('DimeAgent', 'targetRunCost', options.targetRunCost ?? sampler.targetRunCost);
    this.targetRunCost = perDimension * this.actionSpace.size;

    const rng = Rng.fromSeed(seed).split('networks');
    const sizes = { observationSize: this.observationSpace.size, actionSize: this.actionSpace.size };
    this.sampler = sampler.build(rng.split('actor'), sizes);
    this.critic = new TwinCritic(rng.split('critic'), {
      ...sizes,
      hidden: criticHidden,
      outputs: this.objective.outputs,
      batchRenorm,
    });
    this.temperature = new Temperature({ initial: temperature, learningRate: temperatureLearningRate });
    if (logZ) this.logZ = new Mlp(rng.split('logZ'), { inputs: sizes.observationSize, hidden: [256, 256], outputs: 1 });
    this.actorVariables = { ...sampler.variables, ...prefixVariables('logZ', this.logZ?.variables ?? {}) };
    this.actorAdam = new Adam(this.actorVariables, {
      learningRate: actorLearningRate,
      beta1: 0.5,
      transform: clipGradient(1),
    });
    this.criticAdam = new Adam(this.critic.variables, { learningRate: criticLearningRate, beta1: 0.5 });
    this.parts = {
      actor: variablesAsState(this.actorVariables),
      critic: variablesAsState({ ...this.critic.variables, ...this.critic.statistics }),
      temperature: this.temperature,
      actorAdam: this.actorAdam,
      criticAdam: this.criticAdam,
    };
    this.config = {
      seed,
      critic,
      support: { ...support },
      criticHidden: [...criticHidden],
      gamma: this.gamma,
      sampler: sampler.constructor.name,
    };

    this.actProgram = compiler(({ observations, noise }) => ({
      actions: this.sampler.actions(observations as tf.Tensor2D, noise),
    }));
    this.criticProgram = compiler((inputs) => this.criticStep(inputs));
    this.actorProgram = compiler((inputs) => this.actorStep(inputs));
  }

  /** The released code samples the whole chain also in evaluation, so `explore` makes no difference. */
  protected async policy(observations: Float32Array, rows: number): Promise<Float32Array> {
    const noise = this.drawNoise(rows);
    const inputs = { observations: matrix(observations, this.observationSpace.size), noise: this.shaped(noise, rows) };
    return (await this.actProgram(inputs)).actions;
  }

  policyGraph(rows: number): PolicyGraph {
    return {
      inputs: {
        observation: { shape: [rows, this.observationSpace.size] },
        noise: { shape: this.sampler.noiseShape(rows) },
      },
      program: ({ observation, noise }) => ({ action: this.sampler.actions(observation as tf.Tensor2D, noise) }),
    };
  }

  /** One critic update, then an actor and temperature update when it is due. Give `noise` to inject it. */
  async learn(batch: ReplayBatch, noise?: DimeNoise): Promise<Metrics> {
    const size = this.batchSize;
    const observations = matrix(batch.observations, this.observationSpace.size);
    const critic = await this.criticProgram({
      observations,
      actions: matrix(batch.actions, this.actionSpace.size),
      rewards: vector(batch.rewards),
      nextObservations: matrix(batch.nextObservations, this.observationSpace.size),
      terminated: vector(batch.terminated),
      truncated: vector(batch.truncated),
      noise: this.shaped(noise?.critic ?? this.drawNoise(size), size),
    });
    this.updates++;
    this.saturation.watch(scalar(critic.saturation));
    const metrics = {
      criticLoss: scalar(critic.criticLoss),
      value: scalar(critic.value),
      saturation: scalar(critic.saturation),
    };
    if (this.updates % this.policyDelay !== 0) return metrics;

    const trajectories = size * this.groupSize;
    const actor = await this.actorProgram({
      observations,
      noise: this.shaped(noise?.actor ?? this.drawNoise(trajectories), trajectories),
    });
    const { actorLoss, runCost, entropyBound, temperature } = actor;
    return {
      ...metrics,
      actorLoss: scalar(actorLoss),
      runCost: scalar(runCost),
      entropyBound: scalar(entropyBound),
      temperature: scalar(temperature),
    };
  }

  /** The critics towards the entropy-regularised Bellman target; current and next pairs share one batch (CrossQ). */
  private criticStep(inputs: Record<keyof ReplayBatch | 'noise', tf.Tensor>) {
    const { rewards, terminated, noise } = inputs;
    const observations = inputs.observations as tf.Tensor2D;
    const nextObservations = inputs.nextObservations as tf.Tensor2D;
    const next = this.sampler.sample(nextObservations, noise);
    const bellman = {
      rewards: rewards as tf.Tensor1D,
      discounts: tf.mul(tf.sub(1, terminated), this.gamma) as tf.Tensor1D,
      costs: tf.mul(this.temperature.value(), next.totalCost) as tf.Tensor1D,
    };
    const { results, gradients } = lossAndGradients(this.critic.variables, () => {
      const states = tf.concat([observations, nextObservations]);
      const actions = tf.concat([inputs.actions as tf.Tensor2D, next.action]);
      const [first, second] = this.critic.apply(states, actions, true);
      const [current, following] = tf.split(first, 2) as Pair;
      const [currentOfSecond, followingOfSecond] = tf.split(second, 2) as Pair;
      const toTarget = (...heads: tf.Tensor[]) => this.objective.target(heads as Pair, bellman);
      const target = withoutGradient(toTarget, following, followingOfSecond);
      return {
        loss: this.objective.loss([current, currentOfSecond], target),
        value: tf.mean(this.objective.value(current)),
        saturation: this.objective.saturation(target),
      };
    });
    this.criticAdam.apply(gradients);
    return { criticLoss: results.loss, value: results.value, saturation: results.saturation };
  }

  /** The policy down its divergence from exp(Q / temperature), then the temperature towards its target. */
  private actorStep(inputs: Record<'observations' | 'noise', tf.Tensor>) {
    const { trajectory, trainsDiffusion, degree } = this.sampler.requirements;
    const temperature = this.temperature.value();
    const { results, gradients } = lossAndGradients(this.actorVariables, () => {
      const path = this.sampler.sample(inputs.observations as tf.Tensor2D, inputs.noise, {
        trajectory,
        groupSize: this.groupSize,
        trainDiffusion: trainsDiffusion,
      });
      const logTarget = tf.div(this.meanValue(path), temperature) as tf.Tensor1D;
      const logZ = this.logZ && (tf.reshape(this.logZ.apply(path.observations), [-1]) as tf.Tensor1D);
      const divergence = this.sampler.divergence(path, logTarget, logZ);
      return {
        loss: tf.mul(divergence, tf.pow(temperature, degree)) as tf.Scalar,
        runCost: tf.mean(path.runCost),
        entropyBound: tf.neg(tf.mean(path.totalCost)),
      };
    });
    this.actorAdam.apply(gradients);
    this.temperature.step(results.runCost as tf.Scalar, this.targetRunCost);
    const { loss: actorLoss, runCost, entropyBound } = results;
    return { actorLoss, runCost, entropyBound, temperature: this.temperature.value() };
  }

  /** Mean of both critics at the path's actions, `[B]`, with running batch statistics. */
  private meanValue(path: DiffusionPath): tf.Tensor1D {
    const [first, second] = this.critic.apply(path.observations, path.action);
    return tf.mul(tf.add(this.objective.value(first), this.objective.value(second)), 0.5);
  }

  private drawNoise(trajectories: number): Float32Array {
    return this.noise.normals(tf.util.sizeFromShape(this.sampler.noiseShape(trajectories)));
  }

  private shaped(noise: Float32Array, trajectories: number): StateArray {
    return { data: noise, shape: this.sampler.noiseShape(trajectories) };
  }

  dispose(): void {
    for (const program of [this.actProgram, this.criticProgram, this.actorProgram]) program.dispose();
    for (const part of [this.sampler, this.critic, this.temperature, this.actorAdam, this.criticAdam]) part.dispose();
    this.logZ?.dispose();
  }
}

function scalar(values: Float32Array): number {
  return values[0] as number;
}
