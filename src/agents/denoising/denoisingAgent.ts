import * as tf from '@tensorflow/tfjs-core';
import { type DdpmOptions, DdpmSampler } from '../../diffusion/ddpm.js';
import { addNoise, noiseLevels } from '../../diffusion/noising.js';
import { twinCritic } from '../../networks/twinCritic.js';
import { type ActionValues, criticLoss } from '../../objectives/actionValues.js';
import { objectiveOption } from '../../objectives/criticObjective.js';
import { bootstrap } from '../../objectives/crossQLoss.js';
import { denoisingScoreMatchingLoss } from '../../objectives/denoising.js';
import { smallerValue } from '../../objectives/scalar.js';
import type { Activation } from '../../ops/activations.js';
import { Adam, adamOption, learningRateOption } from '../../ops/adam.js';
import { moveTowards } from '../../ops/ema.js';
import { lossAndGradients } from '../../ops/gradients.js';
import { linearDecay } from '../../ops/linearDecay.js';
import type { Variables } from '../../ops/variables.js';
import {
  flag,
  functionOption,
  group,
  integer,
  number,
  type OptionValues,
  objectOption,
  widths,
} from '../../options.js';
import type { ReplayBatch } from '../../replay/replayBuffer.js';
import type { Rng } from '../../rng/rng.js';
import type { NoiseSchedule } from '../../schedules/schedule.js';
import type { StateArray } from '../../state.js';
import type { Metrics } from '../agent.js';
import { matrix } from '../arrays.js';
import type { ExportableAgent, PolicyGraph } from '../exportOnnx.js';
import type { NoiseSource } from '../noiseSource.js';
import { type BatchTensors, OffPolicyAgent, offPolicyOptions } from '../offPolicyAgent.js';
import { numbers } from '../program.js';
import { bestActions, bestActionsGraph, type Chooser } from './bestActions.js';
import { ValueTemperature, valueTemperatureOptions } from './valueTemperature.js';

/** Options that SDAC and DPMD share. */
export const denoisingOptions = {
  ...offPolicyOptions,
  diffusion: objectOption<DdpmOptions>(
    "The policy's chain, options of DdpmSampler; default: 20 cosine steps, SDAC's network.",
  ),
  particles: integer(32, { min: 1 }, 'Actions drawn for an observation when acting, of which the critics pick one.'),
  targetParticles: integer(4, { min: 1 }, 'The same for the next actions in updates.'),
  criticHidden: widths([256, 256], 'Hidden layers of both critics.'),
  criticActivation: functionOption<Activation>(tf.relu, 'After the hidden layers of the critics.'),
  critic: objectiveOption,
  rewardScale: number(0.2, { above: 0 }, 'Factor on rewards.'),
  temperature: group(valueTemperatureOptions, 'Temperature lambda of the values, and scale of exploration.'),
  explorationNoise: number(
    0.1,
    { min: 0 },
    'Standard deviation of the noise added to chosen actions, in temperatures.',
  ),
  clipNoisyActions: flag(
    true,
    'Whether noisy next actions are clipped to [-1, 1] in updates; environments always get clipped ones.',
  ),
  policyDelay: integer(2, { min: 1 }, 'Critic updates to each move of policy and target networks.'),
  targetRate: number(0.005, { min: 0, max: 1 }, 'How far target networks move.'),
  averageRate: number(
    undefined,
    { above: 0, max: 1 },
    'How far the policy that acts moves towards the one that learns; default: targetRate.',
  ),
  policyLearningRate: learningRateOption(
    linearDecay({ from: 3e-4, to: 3e-5, hold: 25_000, over: 50_000 }),
    'Of the policy; 3e-4 for 25 000 policy updates, then linearly to 3e-5 over 50 000.',
  ),
  criticLearningRate: learningRateOption(3e-4, 'Of the critics.'),
  policyAdam: adamOption({}, "Of the policy's optimiser."),
  criticAdam: adamOption({}, "Of the critics' optimiser."),
};

/** Clean actions with noise added: what the policy's network is trained on. All constants. */
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
  /** Of the values. */
  temperature: tf.Scalar;
}

/** What the predicted noise is regressed on. */
export interface Regression {
  /** `[B, A]` */
  noise: tf.Tensor2D;
  /** `[B]`, default: all 1. */
  weights?: tf.Tensor1D;
  /** Scalars to report. */
  metrics: Record<string, tf.Tensor>;
}

/**
 * What makes an agent of its own of a {@link DenoisingAgent}: what its policy is regressed on.
 *
 * `regression` is traceable, returns constants, assigns no variables but `variables`, and takes its random numbers from
 * what `draw` drew.
 */
export interface PolicyTarget {
  /** Noised are the actions of the critics' target at the next states, others drawn for the states themselves, or replay's. */
  readonly states: 'next' | 'current' | 'replay';
  /** Running statistics. */
  readonly variables: Variables;
  /** Random numbers of one regression for `rows` actions. */
  draw?(noise: Rng, rows: number): StateArray;
  regression(actions: NoisedActions, drawn: tf.Tensor | undefined): Regression;
}

/** What a {@link PolicyTarget} may look at. */
export interface TargetContext {
  readonly critic: ActionValues;
  readonly schedule: NoiseSchedule;
  readonly actionSize: number;
}

/** The random numbers of a gradient step; those of the policy are given when its update is due. */
export interface DenoisingNoise {
  nextNoise: StateArray;
  nextExploration: StateArray;
  policy?: {
    step: StateArray;
    forwardNoise: StateArray;
    targetNoise?: StateArray;
    currentNoise?: StateArray;
    currentExploration?: StateArray;
  };
}

type Seen = { observations: tf.Tensor2D; noise: tf.Tensor };
type CriticInputs = BatchTensors & { nextNoise: tf.Tensor; nextExploration: tf.Tensor2D };
type PolicyInputs = CriticInputs & {
  temperature: tf.Scalar;
  step: tf.Tensor1D;
  forwardNoise: tf.Tensor2D;
  targetNoise?: tf.Tensor;
  currentNoise?: tf.Tensor;
  currentExploration?: tf.Tensor2D;
};

/**
 * What SDAC and DPMD have in common: a DDPM policy trained by regression on noise, twin critics with target networks, best-of-N
 * action selection, and a temperature that falls by schedule. Critics with running statistics, such as {@link crossQCritic}'s, are
 * trained in joint batches without target networks, as CrossQ does. The Bellman target carries no entropy; time limits are
 * bootstrapped, terminations are not. Acting uses the moving average of the policy with the online critics, updates use the
 * online policy.
 *
 * One update is one graph, in which every loss is computed from the parameters before it; updates that are not due for the
 * policy compute nothing of it.
 *
 * **Subclass requirements.** `policyTarget` says what the policy is regressed on.
 */
export abstract class DenoisingAgent<
    Options extends OptionValues<typeof denoisingOptions> = OptionValues<typeof denoisingOptions>,
  >
  extends OffPolicyAgent<Options, DenoisingNoise>
  implements ExportableAgent
{
  /** The policy that learns. */
  readonly sampler = this.own('policy', this.newSampler().build(this.networks.split('policy'), this.sizes));
  /** Its moving average, the policy that acts. */
  readonly targetSampler = this.own('targetPolicy', this.sampler.twin());
  /** The critics that learn; they also choose among actions. */
  readonly critic = this.own('critic', this.makeCritic());
  private readonly targetCritic = this.critic.isJoint ? undefined : this.own('targetCritic', this.critic.twin());
  /** Temperature of the values and scale of exploration. */
  readonly temperature = this.own('temperature', new ValueTemperature(this.options.temperature));
  private readonly policyAdam = this.own(
    'policyAdam',
    new Adam(this.sampler.variables, { ...this.options.policyAdam, learningRate: this.options.policyLearningRate }),
  );
  private readonly criticAdam = this.own(
    'criticAdam',
    new Adam(this.critic.variables, { ...this.options.criticAdam, learningRate: this.options.criticLearningRate }),
  );
  private readonly target = this.own(
    'policyTarget',
    this.policyTarget({ critic: this.critic, schedule: this.sampler.schedule, actionSize: this.sizes.actionSize }),
  );

  private readonly actions = this.program(({ observations, noise }: Seen) => ({
    actions: bestActions(this.chooser(this.targetSampler, this.options.particles), observations, noise),
  }));
  private readonly updateCritic = this.updateProgram((inputs: CriticInputs) => this.criticStep(inputs));
  private readonly updateAll = this.updateProgram((inputs: PolicyInputs) => this.fullStep(inputs));

  /** What the policy is regressed on; called once, when the critics are there. */
  protected abstract policyTarget(context: TargetContext): PolicyTarget;

  /** The policy's chain before it is built. */
  protected newSampler(): DdpmSampler {
    return new DdpmSampler(this.options.diffusion);
  }

  /** Adam steps that a critic gradient is used for. */
  protected get criticSteps(): number {
    return 1;
  }

  /** Noise-free and a function of each observation alone where it does not explore. */
  protected async policy(observations: Float32Array, rows: number, _draw: NoiseSource, explore: boolean) {
    const { particles } = this.options;
    const shape = this.sampler.noiseShape(rows * particles);
    const noise = explore
      ? this.normals(shape)
      : { data: this.sampler.observationNoise(observations, particles), shape };
    const { actions } = await this.actions({ observations: matrix(observations, this.sizes.observationSize), noise });
    if (!explore) return { actions };
    const { data } = this.exploration(rows);
    return { actions: actions.map((action, i) => action + (data[i] as number)) };
  }

  policyGraph(rows: number): PolicyGraph {
    return bestActionsGraph(this.chooser(this.targetSampler, this.options.particles), rows, this.sizes.observationSize);
  }

  /** One critic update, with one of the policy and the target networks where it is due. */
  protected async gradientStep(batch: ReplayBatch, { policy, ...next }: DenoisingNoise): Promise<Metrics> {
    const inputs = { ...this.batchInputs(batch), ...next };
    const temperature = this.temperature.value;
    const scalar = { data: Float32Array.of(temperature), shape: [] };
    const results = policy
      ? await this.updateAll({ ...inputs, ...policy, temperature: scalar })
      : await this.updateCritic(inputs);
    this.updates++;
    this.temperature.advance();
    return { ...numbers(results), temperature };
  }

  protected drawNoise(): DenoisingNoise {
    const { batchSize: rows } = this;
    const chain = () => this.normals(this.sampler.noiseShape(rows * this.options.targetParticles));
    const next = { nextNoise: chain(), nextExploration: this.exploration(rows) };
    if (this.updates % this.options.policyDelay !== 0) return next;
    const step = { data: this.noise.integers(rows, this.sampler.schedule.steps), shape: [rows] };
    const forwardNoise = this.normals([rows, this.sizes.actionSize]);
    const targetNoise = this.target.draw && { targetNoise: this.target.draw(this.noise, rows) };
    const current = this.target.states === 'current' && {
      currentNoise: chain(),
      currentExploration: this.exploration(rows),
    };
    return { ...next, policy: { step, forwardNoise, ...targetNoise, ...current } };
  }

  private criticStep(inputs: CriticInputs) {
    const { gradients, metrics } = this.criticGradients(inputs, this.nextActions(inputs));
    this.moveCritic(gradients);
    return metrics;
  }

  private moveCritic(gradients: Record<string, tf.Tensor>): void {
    for (let i = 0; i < this.criticSteps; i++) this.criticAdam.apply(gradients);
    this.critic.project();
  }

  private fullStep(inputs: PolicyInputs): Record<string, tf.Tensor> {
    const nextActions = this.nextActions(inputs);
    const critic = this.criticGradients(inputs, nextActions);
    const policy = this.policyGradients(inputs, nextActions);
    this.moveCritic(critic.gradients);
    this.policyAdam.apply(policy.gradients);
    const { targetRate, averageRate = targetRate } = this.options;
    if (this.targetCritic) moveTowards(this.targetCritic.variables, this.critic.variables, targetRate);
    moveTowards(this.targetSampler.variables, this.sampler.variables, averageRate);
    return { ...critic.metrics, ...policy.metrics };
  }

  private nextActions({ nextObservations, nextNoise, nextExploration }: CriticInputs): tf.Tensor2D {
    return this.noisyActions(nextObservations, nextNoise, nextExploration);
  }

  /** Both critics towards the smaller target value of the next state. */
  private criticGradients(inputs: CriticInputs, nextActions: tf.Tensor2D) {
    const { rewards, weights } = inputs;
    const scaled: tf.Tensor1D = tf.mul(rewards, this.options.rewardScale);
    const bellman = { rewards: scaled, discounts: this.discounts(inputs) };
    const now = { observations: inputs.observations, actions: inputs.actions };
    const next = { observations: inputs.nextObservations, actions: nextActions };
    const read = bootstrap(this.critic, this.targetCritic, now, next, bellman);
    const { results, gradients } = lossAndGradients(this.critic.variables, () => {
      const { predicted, target } = read();
      return criticLoss(this.critic.objective, predicted, target, weights);
    });
    return { gradients, metrics: this.criticResults(results) };
  }

  /** The predicted noise towards what the target says. */
  private policyGradients(inputs: PolicyInputs, nextActions: tf.Tensor2D) {
    const { forwardNoise: noise, step, temperature, targetNoise } = inputs;
    const { observations, clean } = this.cleanActions(inputs, nextActions);
    const noised = addNoise(clean, noise, noiseLevels(this.sampler.schedule, step));
    const target = this.target.regression({ observations, clean, noise, step, noised, temperature }, targetNoise);
    const { results, gradients } = lossAndGradients(this.sampler.variables, () => {
      const predicted = this.sampler.predictNoise(noised, observations, step);
      return { loss: denoisingScoreMatchingLoss(predicted, target.noise, target.weights) };
    });
    return { gradients, metrics: { policyLoss: results.loss, ...target.metrics } };
  }

  /** What the policy's target wants noised. */
  private cleanActions(inputs: PolicyInputs, nextActions: tf.Tensor2D) {
    const { observations, actions, currentNoise, currentExploration } = inputs;
    if (this.target.states === 'replay') return { observations, clean: actions };
    if (!currentNoise || !currentExploration) return { observations: inputs.nextObservations, clean: nextActions };
    return { observations, clean: this.noisyActions(observations, currentNoise, currentExploration) };
  }

  /** Actions `[B, A]` of the online policy with exploration noise. */
  private noisyActions(observations: tf.Tensor2D, noise: tf.Tensor, exploration: tf.Tensor2D): tf.Tensor2D {
    const actions = bestActions(this.chooser(this.sampler, this.options.targetParticles), observations, noise);
    const noisy: tf.Tensor2D = tf.add(actions, exploration);
    return this.options.clipNoisyActions ? tf.clipByValue(noisy, -1, 1) : noisy;
  }

  private chooser(sampler: DdpmSampler, particles: number): Chooser {
    return { sampler, critic: this.critic, particles };
  }

  /** The smaller of both critics' values, `[B]`, for actions in [-1, 1]; traceable. */
  actionValue(observations: tf.Tensor2D, actions: tf.Tensor2D): tf.Tensor1D {
    return tf.minimum(...this.critic.apply(observations, actions));
  }

  private makeCritic(): ActionValues {
    const { criticHidden: hidden, criticActivation: activation, critic = smallerValue } = this.options;
    return this.valueCritic(twinCritic({ hidden, activation }), critic);
  }

  private normals(shape: number[], std = 1): StateArray {
    return { data: this.noise.normals(tf.util.sizeFromShape(shape), 0, std), shape };
  }

  /** What is added to chosen actions, `[rows, A]`. */
  private exploration(rows: number): StateArray {
    return this.normals([rows, this.sizes.actionSize], this.options.explorationNoise * this.temperature.value);
  }
}
