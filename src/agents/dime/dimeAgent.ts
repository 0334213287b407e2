import * as tf from '@tensorflow/tfjs-core';
import { bestOf } from '../../diffusion/bestOf.js';
import { samplingModes } from '../../diffusion/chain.js';
import { EulerMaruyamaSampler } from '../../diffusion/eulerMaruyama.js';
import { Sampler } from '../../diffusion/sampler.js';
import { ArgumentError, requireInteger, requireOneOf, show } from '../../errors.js';
import { batchRenormOptions } from '../../networks/batchRenorm.js';
import { crossQCritic } from '../../networks/crossQCritic.js';
import { Mlp } from '../../networks/mlp.js';
import { categoricalObjective, supportOptions } from '../../objectives/categorical.js';
import { type CriticObjective, requireObjective } from '../../objectives/criticObjective.js';
import { crossQLoss } from '../../objectives/crossQLoss.js';
import { scalarObjective } from '../../objectives/scalar.js';
import { Temperature } from '../../objectives/temperature.js';
import { Adam, adamOption, clipGradient, learningRateOption } from '../../ops/adam.js';
import { lossAndGradients } from '../../ops/gradients.js';
import { repeatRows } from '../../ops/repeatRows.js';
import { prefixVariables } from '../../ops/variables.js';
import { group, integer, number, type OptionValues, oneOf, option, widths } from '../../options.js';
import type { ReplayBatch } from '../../replay/replayBuffer.js';
import type { StateArray } from '../../state.js';
import type { Metrics } from '../agent.js';
import { matrix } from '../arrays.js';
import type { AgentOptions } from '../baseAgent.js';
import type { ExportableAgent, PolicyGraph } from '../exportOnnx.js';
import type { NoiseSource } from '../noiseSource.js';
import { type BatchTensors, OffPolicyAgent, offPolicyOptions, updatesPerTransition } from '../offPolicyAgent.js';
import { numbers } from '../program.js';
import { SaturationWarning } from './saturationWarning.js';

const dimeOptions = {
  ...offPolicyOptions,
  updatesPerTransition: updatesPerTransition(2),
  sampler: option<Sampler>({
    doc: "The policy's chain, its divergence included. The agent builds it.",
    allowed: 'a Sampler',
    initial: () => new EulerMaruyamaSampler(),
    defaultText: 'new EulerMaruyamaSampler()',
    check: (where, name, value) => {
      if (value instanceof Sampler) return value;
      throw new ArgumentError(
        `${where}: ${name} must have log-densities, ${show(value)} has none; take one that extends Sampler.`,
      );
    },
  }),
  groupSize: integer(
    undefined,
    { min: 1 },
    'Trajectories per observation in an actor update; default: what the divergence needs.',
  ),
  policyDelay: integer(3, { min: 1 }, 'Critic updates to each actor update.'),
  critic: option<'categorical' | 'scalar' | CriticObjective>({
    doc: "The critics' form; scalar is the paper's ablation.",
    allowed: "'categorical' | 'scalar' | a CriticObjective",
    initial: 'categorical',
    check: (where, name, value) => {
      if (typeof value === 'object') return requireObjective(where, name, value);
      return requireOneOf(where, name, value, ['categorical', 'scalar'] as const);
    },
  }),
  support: group(supportOptions, 'Returns that the categorical critic can represent; see dimePresets.'),
  evaluation: {
    ...oneOf(
      samplingModes,
      'sde',
      'How the chain runs with explore: false; sde, as in the released code, draws as exploring does. See SamplingMode.',
    ),
    local: true,
  },
  evaluationParticles: {
    ...integer(1, { min: 1 }, 'Actions drawn for an observation with explore: false; the critics take the best.'),
    local: true,
  },
  criticHidden: widths([2048, 2048], 'Hidden layers of both critics.'),
  batchRenorm: group(batchRenormOptions, "Of the critics' batch renormalisation (CrossQ)."),
  temperature: number(1, { above: 0 }, 'Temperature at the start.'),
  temperatureLearningRate: number(1e-3, { min: 0 }, "Of Adam on the temperature's logarithm; 0 keeps it fixed."),
  targetRunCost: number(
    undefined,
    {},
    "Run cost per action dimension that the temperature steers to; default: the sampler's, an entropy bound of -1.665 (4 at the default prior).",
  ),
  actorLearningRate: learningRateOption(3e-4, 'Of the policy.'),
  criticLearningRate: learningRateOption(3e-4, 'Of the critics.'),
  actorAdam: adamOption(
    { beta1: 0.5, transform: clipGradient(1), updateClip: 1 },
    "Of the policy's optimiser; the released code clips no updates, and its chains can explode.",
  ),
  criticAdam: adamOption({ beta1: 0.5, updateClip: 1 }, "Of the critics' optimiser."),
};

export type DimeOptions = AgentOptions<typeof dimeOptions>;

/** Standard normal noise of one gradient step: {@link Sampler.noiseShape} for the batch, and for batch times group size. */
export interface DimeNoise {
  critic: Float32Array;
  /** Given if the actor's update is due. */
  actor?: Float32Array;
}

/** What the policy sees. */
type Seen = { observations: tf.Tensor2D; noise: tf.Tensor };

/**
 * DIME (Celik et al. 2025): maximum-entropy reinforcement learning with a diffusion policy. The policy's chain gives a
 * lower bound on its entropy; actor, critic and temperature use that bound where SAC uses the entropy. Critics are
 * CrossQ's: batch renormalisation, no target networks. Defaults are those of the released code, but for Adam's `updateClip`,
 * which keeps the chain from exploding; {@link dimePresets}`.released` is without.
 *
 * @example
 * ```ts
 * const agent = await DimeAgent.create({ env, seed: 1, ...dimePresets.gym });
 * await train({ agent, env, steps: 100_000 });
 * const { actions } = await agent.act(observation, { explore: false });
 * ```
 */
export class DimeAgent extends OffPolicyAgent<OptionValues<typeof dimeOptions>, DimeNoise> implements ExportableAgent {
  static readonly kind = 'DimeAgent';
  static readonly options = dimeOptions;

  /**
   * Builds the networks; sizes are read from `env`.
   *
   * @throws ArgumentError for an option out of range or an unbounded action space
   */
  static create(options: DimeOptions): Promise<DimeAgent> {
    return DimeAgent.make(DimeAgent, options, (compiler) => new DimeAgent(DimeAgent, options, compiler));
  }

  readonly name = 'DIME';
  readonly sampler = this.own('actor', this.options.sampler.build(this.networks.split('actor'), this.sizes));
  private readonly critic = this.own(
    'critic',
    this.valueCritic(
      crossQCritic({ hidden: this.options.criticHidden, batchRenorm: this.options.batchRenorm }),
      objectiveOf(this.options),
    ),
  );
  private readonly temperature = this.own(
    'temperature',
    new Temperature({ initial: this.options.temperature, learningRate: this.options.temperatureLearningRate }),
  );
  private readonly logZ = this.sampler.requirements.logZ
    ? this.own(
        'logZ',
        new Mlp(this.networks.split('logZ'), { inputs: this.sizes.observationSize, hidden: [256, 256], outputs: 1 }),
      )
    : undefined;
  private readonly actorVariables = {
    ...this.sampler.variables,
    ...prefixVariables('logZ', this.logZ?.variables ?? {}),
  };
  private readonly actorAdam = this.own(
    'actorAdam',
    new Adam(this.actorVariables, { ...this.options.actorAdam, learningRate: this.options.actorLearningRate }),
  );
  private readonly criticAdam = this.own(
    'criticAdam',
    new Adam(this.critic.variables, { ...this.options.criticAdam, learningRate: this.options.criticLearningRate }),
  );
  private readonly groupSize = groupSizeOf(this.sampler, this.options);
  private readonly targetRunCost = (this.options.targetRunCost ?? this.sampler.targetRunCost) * this.sizes.actionSize;
  private readonly saturation = new SaturationWarning();

  private readonly actions = this.program(({ observations, noise }: Seen) => ({
    actions: this.sampler.actions(observations, noise),
  }));
  private readonly evaluatedActions = this.program(({ observations, noise }: Seen) => ({
    actions: this.evaluated(observations, noise),
  }));
  private readonly updateCritic = this.updateProgram((inputs: BatchTensors & { noise: tf.Tensor }) =>
    this.criticStep(inputs),
  );
  private readonly updateActor = this.updateProgram((inputs: Seen) => this.actorStep(inputs));

  protected policy(data: Float32Array, rows: number, draw: NoiseSource, explore: boolean) {
    const observations = matrix(data, this.sizes.observationSize);
    return explore
      ? this.actions({ observations, noise: draw(this.noiseShape, rows) })
      : this.evaluatedActions({ observations, noise: draw(this.evaluationNoiseShape, rows) });
  }

  /** What the policy does with `explore: false`: the chain run as `evaluation` says, the best of its particles. */
  private evaluated(observations: tf.Tensor2D, noise: tf.Tensor): tf.Tensor2D {
    const { evaluation, evaluationParticles } = this.options;
    const repeated = repeatRows(observations, evaluationParticles);
    const candidates = this.sampler.actions(repeated, noise, evaluation);
    if (evaluationParticles === 1) return candidates;
    return bestOf(candidates, this.actionValue(repeated, candidates), evaluationParticles);
  }

  /** The policy as `explore: false` runs it. */
  policyGraph(rows: number): PolicyGraph {
    return {
      inputs: {
        observation: { shape: [rows, this.sizes.observationSize] },
        noise: { shape: this.evaluationNoiseShape(rows) },
      },
      program: ({ observation, noise }) => ({ action: this.evaluated(observation, noise) }),
    };
  }

  /** One critic update, then an actor and temperature update when it is due. */
  protected async gradientStep(batch: ReplayBatch, { critic, actor }: DimeNoise): Promise<Metrics> {
    const inputs = this.batchInputs(batch);
    const metrics = numbers(await this.updateCritic({ ...inputs, noise: this.shaped(critic, this.batchSize) }));
    this.updates++;
    if (metrics.saturation !== undefined) this.saturation.watch(metrics.saturation);
    if (!actor) return metrics;
    const { observations } = inputs;
    const trajectories = this.batchSize * this.groupSize;
    return {
      ...metrics,
      ...numbers(await this.updateActor({ observations, noise: this.shaped(actor, trajectories) })),
    };
  }

  protected drawNoise(): DimeNoise {
    const draw = (trajectories: number) => this.noise.normals(tf.util.sizeFromShape(this.noiseShape(trajectories)));
    const critic = draw(this.batchSize);
    const isActorDue = (this.updates + 1) % this.options.policyDelay === 0;
    return isActorDue ? { critic, actor: draw(this.batchSize * this.groupSize) } : { critic };
  }

  /** The critics towards the entropy-regularised Bellman target; current and next pairs share one batch (CrossQ). */
  private criticStep(inputs: BatchTensors & { noise: tf.Tensor }) {
    const { observations, actions, rewards, nextObservations, noise, weights } = inputs;
    const next = this.sampler.sample(nextObservations, noise);
    const costs: tf.Tensor1D = tf.mul(this.temperature.value(), next.totalCost);
    const bellman = { rewards, discounts: this.discounts(inputs), costs };
    const { results, gradients } = lossAndGradients(this.critic.variables, () =>
      crossQLoss(
        this.critic,
        { observations, actions },
        { observations: nextObservations, actions: next.action },
        bellman,
        weights,
      ),
    );
    this.criticAdam.apply(gradients);
    this.critic.project();
    return this.criticResults(results);
  }

  /** The policy down its divergence from exp(Q / temperature), then the temperature towards its target. */
  private actorStep({ observations, noise }: Seen) {
    const { trajectory, trainsDiffusion, degree } = this.sampler.requirements;
    const temperature = this.temperature.value();
    const { results, gradients } = lossAndGradients(this.actorVariables, () => {
      const path = this.sampler.sample(observations, noise, {
        trajectory,
        groupSize: this.groupSize,
        trainDiffusion: trainsDiffusion,
      });
      const logTarget: tf.Tensor1D = tf.div(this.actionValue(path.observations, path.action), temperature);
      const logZ = this.logZ && tf.reshape<tf.Rank.R1>(this.logZ.apply(path.observations), [-1]);
      const divergence = this.sampler.divergence(path, logTarget, logZ);
      return {
        loss: tf.mul<tf.Scalar>(divergence, tf.pow(temperature, degree)),
        runCost: tf.mean<tf.Scalar>(path.runCost),
        entropyBound: tf.neg(tf.mean(path.totalCost)),
      };
    });
    this.actorAdam.apply(gradients);
    this.temperature.step(results.runCost, this.targetRunCost);
    const { loss: actorLoss, runCost, entropyBound } = results;
    return { actorLoss, runCost, entropyBound, temperature: this.temperature.value() };
  }

  /** The mean of both critics, `[B]`, for actions in [-1, 1]; traceable. */
  actionValue(observations: tf.Tensor2D, actions: tf.Tensor2D): tf.Tensor1D {
    return tf.mul(tf.add(...this.critic.apply(observations, actions)), 0.5);
  }

  private shaped(data: Float32Array, trajectories: number): StateArray {
    return { data, shape: this.noiseShape(trajectories) };
  }

  private readonly noiseShape = (rows: number) => this.sampler.noiseShape(rows);
  private readonly evaluationNoiseShape = (rows: number) =>
    this.sampler.noiseShape(rows * this.options.evaluationParticles);
}

function objectiveOf({ critic, support }: OptionValues<typeof dimeOptions>): CriticObjective {
  if (critic === 'scalar') return scalarObjective();
  return critic === 'categorical' ? categoricalObjective(support) : critic;
}

function groupSizeOf(
  { requirements: { minGroupSize } }: Sampler,
  { groupSize }: OptionValues<typeof dimeOptions>,
): number {
  return requireInteger('DimeAgent', 'groupSize', groupSize ?? minGroupSize, { min: minGroupSize });
}
