import * as tf from '@tensorflow/tfjs-core';
import type { DiffusionPath } from '../../diffusion/path.js';
import { ArgumentError } from '../../errors.js';
import type { Heads } from '../../networks/criticNetwork.js';
import { latentCritic } from '../../networks/latentValue.js';
import { ActionValues, criticLoss, valueOfTarget } from '../../objectives/actionValues.js';
import { objectiveOption } from '../../objectives/criticObjective.js';
import { bootstrap } from '../../objectives/crossQLoss.js';
import { scalarObjective } from '../../objectives/scalar.js';
import { type StepBatch, stepBatch, stepLogRatio } from '../../objectives/stepBatch.js';
import { TemperatureControl, temperatureOption } from '../../objectives/temperatureControl.js';
import { Adam, adamOption, learningRateOption } from '../../ops/adam.js';
import { moveTowards } from '../../ops/ema.js';
import { logNormal } from '../../ops/gaussian.js';
import { lossAndGradients } from '../../ops/gradients.js';
import { repeatRows } from '../../ops/repeatRows.js';
import { integer, number, type OptionValues, oneOf, widths } from '../../options.js';
import type { ReplayBatch } from '../../replay/replayBuffer.js';
import type { Metrics } from '../agent.js';
import { matrix, vector } from '../arrays.js';
import type { Experience } from '../baseAgent.js';
import type { ExportableAgent, PolicyGraph } from '../exportOnnx.js';
import type { NoiseSource } from '../noiseSource.js';
import { type BatchTensors, OffPolicyAgent, offPolicyOptions } from '../offPolicyAgent.js';
import { numbers } from '../program.js';
import { StepCounter } from '../stepCounter.js';
import { ChainActor } from './chainActor.js';
import { evaluationOption, samplerOption } from './options.js';
import { type RowLosses, type SampledSteps, Simulation, type Successor } from './simulation.js';
import { StoredLatents } from './storedLatents.js';
import { TrustRegion, trustRegionOption } from './trustRegion.js';

/** Options that DiffSAC and DiffWPO share. */
export const stepActorCriticOptions = {
  ...offPolicyOptions,
  sampler: samplerOption,
  latents: oneOf(
    ['resimulate', 'replay'],
    'resimulate',
    'Latents to train on: of the present chain, run on replayed observations, or of the acting policy, K A numbers a transition.',
  ),
  actionTarget: oneOf(
    ['chain', 'step'],
    'chain',
    "Q(s, a) looks ahead to the end of a chain at s', as DIME does, or to the value of a prior draw at s', which takes no chain.",
  ),
  latentTarget: oneOf(
    ['chain', 'step'],
    undefined,
    "The value of a latent looks ahead to the end of its chain (default with 'resimulate') or to a fresh successor.",
  ),
  groupSize: integer(
    undefined,
    { min: 1 },
    'Chains per observation, each with one sampled step; default 1, 8 for forward KL.',
  ),
  temperature: temperatureOption(
    { automatic: {} },
    'By default the path entropy is steered to -1 nat an action dimension.',
  ),
  targetRate: number(0.005, { above: 0, max: 1 }, 'How far target critics move in an update.'),
  critic: objectiveOption,
  criticHidden: widths([256, 256], 'Hidden layers of both critics.'),
  actorLearningRate: learningRateOption(3e-4, 'Of the policy.'),
  criticLearningRate: learningRateOption(3e-4, 'Of the critics.'),
  actorAdam: adamOption({}, "Of the policy's optimiser."),
  criticAdam: adamOption({}, "Of the critics' optimiser."),
  trustRegion: trustRegionOption,
  evaluation: evaluationOption('lastStepMean'),
};

/** Random numbers of one gradient step; R is batch size times group size. */
export interface StepNoise {
  /** {@link DiffusionSampler.noiseShape} for the simulated chains: R of them, then one for each successor. */
  chain: Float32Array;
  /** `[R]`, diffusion steps, generation order. */
  step: Float32Array;
  /** `[R, A]`, standard normal like the following. */
  critic: Float32Array;
  /** `[R, A]` */
  actor: Float32Array;
  /** `[B, A]` */
  start: Float32Array;
}

/** What an {@link ActorLoss} is made from; nothing computed from it outside of the returned function carries a gradient. */
export interface ActorContext {
  /** `[R, A]`, standard normal. */
  noise: tf.Tensor2D;
  /** The smaller U(s, y, k + 1), `[R]`, of successors y `[R, A]`. */
  value: (next: tf.Tensor2D) => tf.Tensor1D;
  /** The smaller Q(s, a), `[R]`, of actions `[R, A]` at the rows' observations. */
  actionValue: (actions: tf.Tensor2D) => tf.Tensor1D;
  /** The sampled transitions, and what came of them where chains were simulated. */
  sampled: SampledSteps;
  /** Chains for each observation. */
  groupSize: number;
  /** The transitions at the kernels as they are now. */
  before: StepBatch;
}

/** What the actor minimises. */
export interface ActorLoss {
  /** Whether it is right for the diffusion coefficient too. */
  readonly trainsDiffusion: boolean;
  /** Whether it needs what came of the latents at the end of their chains, and the least group size. */
  readonly needsChains?: boolean;
  readonly minGroupSize?: number;
  /** Losses of rows at the current kernels. */
  rows(context: ActorContext): RowLosses;
}

type UpdateInputs = BatchTensors & {
  chain: tf.Tensor;
  step: tf.Tensor1D;
  critic: tf.Tensor2D;
  actor: tf.Tensor2D;
  start: tf.Tensor2D;
};

/**
 * Soft actor-critic on the augmented MDP (Sanokowski et al. 2025). A twin critic U(s, x, k) values latents at
 * every diffusion step, up to Q(s, a) for the action itself, and an actor update differentiates a single
 * transition of the chain for each row: its memory does not grow with K. Critics with running statistics, such as
 * {@link crossQCritic}'s, are trained in joint batches without target networks, as CrossQ does.
 *
 * **Subclass requirements.** `actorLoss` says what the actor minimises.
 */
export abstract class StepActorCritic<Options extends OptionValues<typeof stepActorCriticOptions>>
  extends OffPolicyAgent<Options, StepNoise, Float32Array>
  implements ExportableAgent
{
  private readonly loss = this.actorLoss();
  private readonly modes = modesOf(this.kind, this.options, this.loss);
  readonly sampler = this.own('actor', this.options.sampler.build(this.networks.split('actor'), this.sizes));
  private readonly critic = this.own('critic', this.makeCritic());
  private readonly target = this.critic.isJoint ? undefined : this.own('target', this.critic.twin());
  private readonly temperature = this.own(
    'temperature',
    new TemperatureControl(this.options.temperature, this.sizes.actionSize),
  );
  private readonly trustRegion = this.options.trustRegion
    ? this.own('trustRegion', new TrustRegion(this.sampler, this.options.trustRegion))
    : undefined;
  private readonly actorAdam = this.own(
    'actorAdam',
    new Adam(this.sampler.variables, { ...this.options.actorAdam, learningRate: this.options.actorLearningRate }),
  );
  private readonly criticAdam = this.own(
    'criticAdam',
    new Adam(this.critic.variables, { ...this.options.criticAdam, learningRate: this.options.criticLearningRate }),
  );
  private readonly steps = this.own('steps', new StepCounter());
  private readonly storedLatents =
    this.options.latents === 'replay'
      ? new StoredLatents(this.sampler, this.own('latents', this.noise.split('latents')))
      : undefined;
  private readonly simulation = new Simulation(this.sampler, this.modes);

  private readonly chainActor = new ChainActor(this.sampler, this.options.evaluation, (program) =>
    this.program(program),
  );
  private readonly updateAll = this.updateProgram((inputs: UpdateInputs) => this.fullStep(inputs));
  private readonly renewRegion = this.program(() => {
    this.trustRegion?.renew();
    return {};
  });

  /** What the actor minimises; called once, before anything is built. */
  protected abstract actorLoss(): ActorLoss;

  protected override get storedSize(): number {
    const { latents, sampler } = this.options;
    return latents === 'replay' ? StoredLatents.size(sampler, this.sizes.actionSize) : this.sizes.actionSize;
  }

  protected async policy(observations: Float32Array, _rows: number, draw: NoiseSource, explore: boolean) {
    if (!explore) return this.chainActor.evaluate(observations, draw);
    const { actions, latents } = await this.chainActor.explore(observations, draw);
    return { actions, memory: latents };
  }

  protected override stored({ transitions, memory, isOwn }: Experience<Float32Array>): Float32Array {
    return this.storedLatents?.join(transitions.actions, memory, isOwn) ?? transitions.actions;
  }

  protected override experience(experience: Experience<Float32Array>): void {
    super.experience(experience);
    this.steps.value += experience.transitions.rewards.length;
  }

  policyGraph(rows: number): PolicyGraph {
    return this.chainActor.graph(rows);
  }

  /** One update of critics, targets, policy and temperature. */
  protected async gradientStep(batch: ReplayBatch, noise: StepNoise): Promise<Metrics> {
    const { actionSize } = this.sizes;
    this.temperature.at(this.steps.value);
    const results = await this.updateAll({
      ...this.batchInputs(batch),
      chain: { data: noise.chain, shape: this.sampler.noiseShape(this.simulation.chains(this.batchSize)) },
      step: vector(noise.step),
      critic: matrix(noise.critic, actionSize),
      actor: matrix(noise.actor, actionSize),
      start: matrix(noise.start, actionSize),
    });
    this.updates++;
    if (this.trustRegion?.isDue(this.updates)) await this.renewRegion({});
    return numbers(results);
  }

  protected drawNoise(): StepNoise {
    const { actionSize } = this.sizes;
    const rows = this.batchSize * this.modes.groupSize;
    const chain = this.sampler.noiseShape(this.simulation.chains(this.batchSize));
    return {
      chain: this.noise.normals(tf.util.sizeFromShape(chain)),
      step: Float32Array.from(this.noise.integers(rows, this.sampler.schedule.steps)),
      critic: this.noise.normals(rows * actionSize),
      actor: this.noise.normals(rows * actionSize),
      start: this.noise.normals(this.batchSize * actionSize),
    };
  }

  private fullStep(inputs: UpdateInputs) {
    const temperature = this.temperature.value();
    const { sampled, successor, path } = this.simulation.run(inputs);
    const critic = this.criticStep(inputs, sampled, successor, temperature);
    const actor = this.actorStep(inputs.actor, sampled, temperature);
    const { runCost, cost } = this.costs(path, actor.runCost);
    this.temperature.step(cost);
    return { ...critic, ...actor, runCost, entropyBound: tf.neg(cost), temperature: this.temperature.value() };
  }

  /** Mean run cost and mean path cost of the policy: of whole chains, or estimated from the actor's transitions. */
  private costs(path: DiffusionPath | undefined, runCost: tf.Scalar) {
    if (path) return { runCost: tf.mean<tf.Scalar>(path.runCost), cost: tf.mean<tf.Scalar>(path.totalCost) };
    return { runCost, cost: tf.sub<tf.Scalar>(runCost, this.sampler.priorEntropy) };
  }

  /** Both critics towards Q at the replayed actions and, with equal weight, U at the sampled latents; the targets after them. */
  private criticStep(inputs: UpdateInputs, sampled: SampledSteps, successor: Successor, temperature: tf.Scalar) {
    const { objective } = this.critic;
    const { now, next, bellman } = this.criticRows(inputs, sampled, successor, temperature);
    const read = bootstrap(this.critic, this.target, now, next, bellman);
    const { results, gradients } = lossAndGradients(this.critic.variables, () => {
      const { predicted, target } = read();
      const sizes: [number, number] = [inputs.observations.shape[0], sampled.step.shape[0]];
      const [actionHeads, latentHeads] = parted(predicted, sizes);
      const [actionTarget, latentTarget] = tf.split(target, sizes) as Heads;
      const ofActions = criticLoss(objective, actionHeads, actionTarget, inputs.weights);
      const ofLatents = criticLoss(objective, latentHeads, latentTarget, this.latentWeights(inputs));
      return {
        ...ofActions,
        loss: tf.add<tf.Scalar>(ofActions.loss, ofLatents.loss),
        value: tf.mean<tf.Scalar>(valueOfTarget(objective, actionTarget)),
      };
    });
    this.criticAdam.apply(gradients);
    this.critic.project();
    if (this.target) moveTowards(this.target.variables, this.critic.variables, this.options.targetRate);
    return this.criticResults(results);
  }

  /** What the critics are read at, actions first and latents after them, what their targets are read at, and how. */
  private criticRows(inputs: UpdateInputs, sampled: SampledSteps, successor: Successor, temperature: tf.Scalar) {
    const [batch, rows] = [inputs.observations.shape[0], sampled.step.shape[0]];
    const ahead = this.latentSuccessor(sampled, inputs.critic, temperature);
    const actions = tf.slice(inputs.actions, [0, 0], [-1, this.sizes.actionSize]);
    const now = {
      observations: tf.concat([inputs.observations, sampled.observations]),
      actions: tf.concat([actions, tf.div<tf.Tensor2D>(sampled.x, this.sampler.priorStd)]),
      step: tf.concat([filled(batch, this.sampler.schedule.steps), sampled.step]),
    };
    const next = {
      observations: tf.concat([inputs.nextObservations, sampled.observations]),
      actions: tf.concat([successor.input, ahead.input]),
      step: tf.concat([successor.step, ahead.step]),
    };
    const bellman = {
      rewards: tf.concat([inputs.rewards, tf.zeros<tf.Rank.R1>([rows])]),
      discounts: tf.concat([this.discounts(inputs), tf.ones<tf.Rank.R1>([rows])]),
      costs: tf.mul<tf.Tensor1D>(tf.concat([successor.cost, ahead.cost]), temperature),
    };
    return { now, next, bellman };
  }

  /** Weights of the latents at replayed observations, `[R]`. */
  private latentWeights({ weights }: BatchTensors): tf.Tensor1D | undefined {
    return weights && tf.reshape(repeatRows(tf.reshape(weights, [-1, 1]), this.modes.groupSize), [-1]);
  }

  /** Where the value of the sampled latents is read: the end of their chains, or a fresh successor; less a cost. */
  private latentSuccessor(sampled: SampledSteps, noise: tf.Tensor2D, temperature: tf.Scalar): Successor {
    const { chain, step } = sampled;
    if (chain && this.modes.latentTarget === 'chain') {
      const end = filled(step.shape[0], this.sampler.schedule.steps);
      return { input: chain.action, cost: chain.costAhead, step: end };
    }
    const batch = this.batchAt(sampled, temperature);
    const next: tf.Tensor2D = tf.add(batch.mean, tf.mul(batch.std, noise));
    const cost = stepLogRatio(batch, next, logNormal(next, batch.mean, batch.std) as tf.Tensor1D);
    const { x: input, call } = this.successors(sampled)(next);
    return { input, cost, step: call.step };
  }

  /** The policy down its loss on the sampled transitions, within the trust region if there is one. */
  private actorStep(noise: tf.Tensor2D, sampled: SampledSteps, temperature: tf.Scalar) {
    const { observations, x, step } = sampled;
    const successors = this.successors(sampled);
    const rowLosses = this.loss.rows({
      noise,
      value: (next) => {
        const { x: following, call } = successors(next);
        return tf.minimum(...this.critic.apply(observations, following, call));
      },
      actionValue: (actions) => this.actionValue(observations, actions),
      sampled,
      groupSize: this.modes.groupSize,
      before: this.batchAt(sampled, temperature),
    });
    const region = this.trustRegion;
    const old = region?.moments(observations, x, step);
    const { results, gradients } = lossAndGradients(this.sampler.variables, () => {
      const batch = this.batchAt(sampled, temperature);
      const { loss: rows, logRatio } = rowLosses(batch);
      const within = old && region?.loss(rows, old, batch);
      const { loss, chainKl } = within ?? { loss: tf.mean<tf.Scalar>(rows), chainKl: tf.scalar(0) };
      return { loss, chainKl, runCost: tf.mul<tf.Scalar>(tf.mean(logRatio), batch.kernels.steps) };
    });
    this.actorAdam.apply(gradients);
    region?.step(results.chainKl);
    return { actorLoss: results.loss, chainKl: results.chainKl, runCost: results.runCost };
  }

  /** The sampled transitions with the kernels as they are now. */
  private batchAt(sampled: SampledSteps, temperature: tf.Scalar): StepBatch {
    return stepBatch(this.sampler, sampled, { temperature, trainDiffusion: this.loss.trainsDiffusion });
  }

  /** What the critics see of successors y `[R, A]` at step k + 1: squashed actions after the last step, latents before. */
  private successors({ step }: SampledSteps) {
    const { squash, priorStd, schedule } = this.sampler;
    const last = tf.cast(tf.equal(tf.reshape(step, [-1, 1]), schedule.steps - 1), 'float32');
    const call = { step: tf.add<tf.Tensor1D>(step, 1) };
    return (next: tf.Tensor2D): { x: tf.Tensor2D; call: { step: tf.Tensor1D } } => {
      const latent = tf.mul(tf.sub(1, last), tf.div(next, priorStd));
      return { x: tf.add(latent, tf.mul(last, squash.apply(next))), call };
    };
  }

  /** The smaller of both critics' values, `[B]`, for actions in [-1, 1]; traceable. */
  actionValue(observations: tf.Tensor2D, actions: tf.Tensor2D): tf.Tensor1D {
    const step = filled(actions.shape[0], this.sampler.schedule.steps);
    return tf.minimum(...this.critic.apply(observations, actions, { step }));
  }

  private makeCritic(): ActionValues {
    const { critic: objective = scalarObjective('min'), criticHidden: hidden, sampler } = this.options;
    const sizes = { outputs: objective.outputs, diffusionSteps: sampler.schedule.steps };
    return new ActionValues(this.criticHeads(latentCritic({ hidden }), sizes), objective);
  }
}

/** `value` `rows` times. */
function filled(rows: number, value: number): tf.Tensor1D {
  return tf.fill([rows], value);
}

/** The rows of both heads in parts of these sizes. */
function parted(heads: Heads, sizes: [number, number]): [Heads, Heads] {
  const [first, second] = heads.map((head) => tf.split(head, sizes)) as [Heads, Heads];
  return [
    [first[0], second[0]],
    [first[1], second[1]],
  ];
}

/** How latents are got and looked ahead from, with the defaults that depend on each other. */
function modesOf(where: string, options: OptionValues<typeof stepActorCriticOptions>, loss: ActorLoss) {
  const { latents, actionTarget } = options;
  const latentTarget = options.latentTarget ?? (latents === 'resimulate' ? 'chain' : 'step');
  const groupSize = options.groupSize ?? (loss.minGroupSize ? 8 : 1);
  if (latents === 'replay' && (latentTarget === 'chain' || loss.needsChains || groupSize !== 1)) {
    throw new ArgumentError(
      `${where}: latents 'replay' goes with latentTarget 'step', divergence 'reverse' and groupSize 1 only, for it simulates no chains; use latents 'resimulate' for the others.`,
    );
  }
  if (groupSize < (loss.minGroupSize ?? 1)) {
    throw new ArgumentError(
      `${where}: groupSize must be an integer >= ${loss.minGroupSize} for weights to be compared, got ${groupSize}.`,
    );
  }
  return { latents, actionTarget, latentTarget, groupSize };
}
