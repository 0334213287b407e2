import * as tf from '@tensorflow/tfjs-core';
import { DdpmSampler, mishNetwork } from '../../diffusion/ddpm.js';
import type { CriticHeads } from '../../networks/criticNetwork.js';
import { twinCritic } from '../../networks/twinCritic.js';
import { meanSize } from '../../objectives/actionValues.js';
import { fitGaussianMixture, mixtureEntropyBound } from '../../objectives/gaussianMixture.js';
import { gaussianReturnLoss, gaussianReturns, ReturnSpreads, smallerReturn } from '../../objectives/gaussianReturn.js';
import { Temperature } from '../../objectives/temperature.js';
import { mish } from '../../ops/activations.js';
import { Adam, adamOption, learningRateOption } from '../../ops/adam.js';
import { moveTowards } from '../../ops/ema.js';
import { lossAndGradients } from '../../ops/gradients.js';
import { integer, number, type OptionValues, widths } from '../../options.js';
import type { ReplayBatch } from '../../replay/replayBuffer.js';
import { variancePreservingSchedule } from '../../schedules/variancePreserving.js';
import type { StateArray } from '../../state.js';
import type { Metrics } from '../agent.js';
import { matrix } from '../arrays.js';
import type { AgentOptions } from '../baseAgent.js';
import type { ExportableAgent, PolicyGraph } from '../exportOnnx.js';
import type { NoiseSource } from '../noiseSource.js';
import { type BatchTensors, OffPolicyAgent, offPolicyOptions } from '../offPolicyAgent.js';
import { numbers } from '../program.js';

const dacerOptions = {
  ...offPolicyOptions,
  warmupSteps: integer(30_000, { min: 0 }, 'Uniformly random environment steps at the start.'),
  diffusionSteps: integer(20, { min: 1 }, 'Steps of the variance-preserving chain.'),
  policyHidden: widths([256, 256, 256], "Hidden layers of the policy's network, Mish."),
  criticHidden: widths([256, 256, 256], 'Hidden layers of both critics, Mish.'),
  rewardScale: number(0.2, { above: 0 }, 'Factor on rewards.'),
  temperature: number(3, { above: 0 }, 'Temperature at the start: the scale of the noise that is added to actions.'),
  explorationNoise: number(0.1, { min: 0 }, 'Standard deviation of that noise in temperatures; 0.15 for Humanoid.'),
  targetEntropy: number(-0.9, {}, 'Entropy per action dimension that the temperature steers to, in nats.'),
  entropyEvery: integer(10_000, { min: 1 }, 'Gradient steps between two measurements of the entropy.'),
  entropySamples: integer(200, { min: 3 }, 'Actions of each state that it is measured with.'),
  policyDelay: integer(2, { min: 1 }, 'Critic updates to each update of policy and targets.'),
  targetRate: number(0.005, { above: 0, max: 1 }, 'How far target critics and the mean deviations of returns move.'),
  policyLearningRate: learningRateOption(1e-4, 'Of the policy.'),
  criticLearningRate: learningRateOption(1e-4, 'Of the critics.'),
  policyAdam: adamOption({}, "Of the policy's optimiser."),
  criticAdam: adamOption({}, "Of the critics' optimiser."),
  temperatureLearningRate: number(0.03, { min: 0 }, "Of Adam on the temperature's logarithm; 0 keeps it fixed."),
};

export type DacerOptions = AgentOptions<typeof dacerOptions>;

/** Standard normal noise of a chain and of what is added to its end. */
interface ActionNoise<T> {
  chain: T;
  added: T;
}

/** The random numbers of one gradient step. */
export interface DacerNoise {
  next: ActionNoise<StateArray>;
  /** Of the drawn returns, `[2, B]`. */
  returns: StateArray;
  /** Of the policy's actions, when it is due. */
  current?: ActionNoise<StateArray>;
  /** Of the actions that the entropy is measured with, when it is due. */
  entropy?: ActionNoise<StateArray>;
}

type Seen = { observations: tf.Tensor2D; chain: tf.Tensor; added: tf.Tensor2D };
type CriticInputs = BatchTensors & { nextChain: tf.Tensor; nextAdded: tf.Tensor2D; returns: tf.Tensor2D };
type PolicyInputs = CriticInputs & { chain: tf.Tensor; added: tf.Tensor2D };

/** Components of the mixture that the entropy is read off. */
const COMPONENTS = 3;

/**
 * DACER (Wang et al. 2024, "Diffusion Actor-Critic with Entropy Regulator"): a DDPM policy drawn up distributional critics by
 * gradients through its whole chain. Noise is added to its actions, and the noise's scale is steered by the entropy of
 * mixtures of three Gaussians fitted to many actions of each state. The Bellman target carries no entropy. Evaluates without
 * that noise, as a function of the observation alone.
 *
 * Defaults are those of the authors' code, but for its one gradient step to 20 transitions (`updatesPerTransition: 0.05`).
 * The temperature's gradient has the factor alpha here as in SAC; Adam all but takes it out.
 *
 * @example
 * ```ts
 * const agent = await DacerAgent.create({ env, seed: 1 });
 * await train({ agent, env, steps: 100_000 });
 * ```
 */
export class DacerAgent
  extends OffPolicyAgent<OptionValues<typeof dacerOptions>, DacerNoise>
  implements ExportableAgent
{
  static readonly kind = 'DacerAgent';
  static readonly options = dacerOptions;

  /** @throws ArgumentError for an option out of range or an unbounded action space */
  static create(options: DacerOptions): Promise<DacerAgent> {
    return DacerAgent.make(DacerAgent, options, (compiler) => new DacerAgent(DacerAgent, options, compiler));
  }

  readonly name = 'DACER';
  readonly sampler = this.own('policy', this.newSampler());
  private readonly critic = this.own('critic', this.makeCritic());
  private readonly targetCritic = this.own('targetCritic', this.critic.twin());
  private readonly spreads = this.own('spreads', new ReturnSpreads(this.options.targetRate));
  private readonly temperature = this.own(
    'temperature',
    new Temperature({ initial: this.options.temperature, learningRate: this.options.temperatureLearningRate }),
  );
  private readonly policyAdam = this.own(
    'policyAdam',
    new Adam(this.sampler.variables, { ...this.options.policyAdam, learningRate: this.options.policyLearningRate }),
  );
  private readonly criticAdam = this.own(
    'criticAdam',
    new Adam(this.critic.variables, { ...this.options.criticAdam, learningRate: this.options.criticLearningRate }),
  );

  private readonly actions = this.program((seen: Seen) => ({ actions: this.noisyActions(seen) }));
  private readonly manyActions = this.program((seen: Seen) => ({
    actions: this.noisyActions(seen, this.options.entropySamples),
  }));
  private readonly updateCritic = this.updateProgram((inputs: CriticInputs) => this.criticStep(inputs));
  private readonly updateAll = this.updateProgram((inputs: PolicyInputs) => this.fullStep(inputs));
  private readonly steer = this.updateProgram(({ entropy }: { entropy: tf.Scalar }) => {
    this.temperature.step(tf.neg(entropy), -this.options.targetEntropy * this.sizes.actionSize);
    return { temperature: this.temperature.value() };
  });

  protected async policy(observations: Float32Array, rows: number, _draw: NoiseSource, explore: boolean) {
    const noise = explore ? this.actionNoise(rows) : this.quietNoise(observations, rows);
    return this.actions({ observations: matrix(observations, this.sizes.observationSize), ...noise });
  }

  policyGraph(rows: number): PolicyGraph {
    return {
      inputs: {
        observation: { shape: [rows, this.sizes.observationSize] },
        noise: { shape: this.sampler.noiseShape(rows) },
      },
      program: ({ observation, noise }) => ({ action: this.sampler.actions(observation, noise) }),
    };
  }

  protected drawNoise(): DacerNoise {
    const { batchSize: rows } = this;
    const { policyDelay, entropyEvery, entropySamples } = this.options;
    const isDue = (every: number) => this.updates % every === 0;
    return {
      next: this.actionNoise(rows),
      returns: this.normals([2, rows]),
      current: isDue(policyDelay) ? this.actionNoise(rows) : undefined,
      entropy: isDue(entropyEvery) ? this.actionNoise(rows * entropySamples) : undefined,
    };
  }

  /** One update of the critics, with one of policy and targets, and one of the temperature, when they are due. */
  protected async gradientStep(batch: ReplayBatch, noise: DacerNoise): Promise<Metrics> {
    const inputs = this.batchInputs(batch);
    const entropy = noise.entropy && (await this.entropy(inputs.observations, noise.entropy));
    const { chain: nextChain, added: nextAdded } = noise.next;
    const critic = { ...inputs, nextChain, nextAdded, returns: noise.returns };
    const results = await (noise.current ? this.updateAll({ ...critic, ...noise.current }) : this.updateCritic(critic));
    this.updates++;
    if (entropy === undefined) return numbers(results);
    const steered = await this.steer({ entropy: { data: Float32Array.of(entropy), shape: [] } });
    return { ...numbers(results), ...numbers(steered), entropy };
  }

  /** The mean over states of the entropy of a mixture fitted to its actions. */
  private async entropy(observations: StateArray, noise: ActionNoise<StateArray>): Promise<number> {
    const { actions } = await this.manyActions({ observations, ...noise });
    const { actionSize } = this.sizes;
    const block = this.options.entropySamples * actionSize;
    let sum = 0;
    for (let from = 0; from < actions.length; from += block) {
      sum += mixtureEntropyBound(fitGaussianMixture(actions.subarray(from, from + block), actionSize, COMPONENTS));
    }
    return (sum * block) / actions.length;
  }

  /** Both critics towards the distribution of the return from the smaller target critic. */
  private criticStep(inputs: CriticInputs) {
    const { observations, actions, rewards, nextObservations, nextChain, nextAdded, weights } = inputs;
    const nextActions = this.noisyActions({ observations: nextObservations, chain: nextChain, added: nextAdded });
    const next = smallerReturn(gaussianReturns(this.targetCritic.apply(nextObservations, nextActions)), inputs.returns);
    const discounts = this.discounts(inputs);
    const backup = (value: tf.Tensor1D): tf.Tensor1D =>
      tf.add(tf.mul(rewards, this.options.rewardScale), tf.mul(discounts, value));
    const target = { mean: backup(next.mean), sample: backup(next.sample) };
    const { results, gradients } = lossAndGradients(this.critic.variables, () => {
      const predicted = gaussianReturns(this.critic.apply(observations, actions));
      const spreads = this.spreads.track(predicted);
      const [first, second] = predicted.map((one, i) =>
        gaussianReturnLoss(one, target, spreads[i] as tf.Scalar, weights),
      );
      const [mean, other] = predicted.map((one) => one.mean) as [tf.Tensor1D, tf.Tensor1D];
      return {
        loss: tf.add<tf.Scalar>(first as tf.Scalar, second as tf.Scalar),
        value: tf.mean(mean),
        deviation: tf.mean(predicted[0].std),
        tdErrors: meanSize([tf.sub(mean, target.mean), tf.sub(other, target.mean)]),
      };
    });
    this.criticAdam.apply(gradients);
    const { loss: criticLoss, value, deviation: returnDeviation, tdErrors } = results;
    return { criticLoss, value, returnDeviation, ...this.toReplay(tdErrors) };
  }

  /** A step of everything, in which the policy goes up the critics from before. */
  private fullStep(inputs: PolicyInputs) {
    const { results, gradients } = lossAndGradients(this.sampler.variables, () => {
      const [first, second] = gaussianReturns(this.critic.apply(inputs.observations, this.noisyActions(inputs)));
      return { loss: tf.neg(tf.mean<tf.Scalar>(tf.minimum(first.mean, second.mean))) };
    });
    const critic = this.criticStep(inputs);
    this.policyAdam.apply(gradients);
    moveTowards(this.targetCritic.variables, this.critic.variables, this.options.targetRate);
    return { ...critic, policyLoss: results.loss };
  }

  /** Actions `[B * groupSize, A]` with noise of the temperature's scale added. */
  private noisyActions({ observations, chain, added }: Seen, groupSize = 1): tf.Tensor2D {
    const scale = tf.mul(this.temperature.value(), this.options.explorationNoise);
    const noisy: tf.Tensor2D = tf.add(this.sampler.actions(observations, chain, groupSize), tf.mul(added, scale));
    return tf.clipByValue(noisy, -1, 1);
  }

  private actionNoise(rows: number): ActionNoise<StateArray> {
    return { chain: this.normals(this.sampler.noiseShape(rows)), added: this.normals([rows, this.sizes.actionSize]) };
  }

  /** What is a function of the observation alone, and nothing added. */
  private quietNoise(observations: Float32Array, rows: number): ActionNoise<StateArray> {
    const chain = { data: this.sampler.observationNoise(observations), shape: this.sampler.noiseShape(rows) };
    return { chain, added: matrix(new Float32Array(rows * this.sizes.actionSize), this.sizes.actionSize) };
  }

  private normals(shape: number[]): StateArray {
    return { data: this.noise.normals(tf.util.sizeFromShape(shape)), shape };
  }

  private newSampler(): DdpmSampler {
    const { diffusionSteps: steps, policyHidden: hidden } = this.options;
    const network = mishNetwork({ hidden, scale: 0.25, closed: false });
    const sampler = new DdpmSampler({ schedule: variancePreservingSchedule({ steps }), startStd: 1, network });
    return sampler.build(this.networks.split('policy'), this.sizes);
  }

  /** Heads of two numbers, see {@link gaussianReturns}. */
  private makeCritic(): CriticHeads {
    return this.criticHeads(twinCritic({ hidden: this.options.criticHidden, activation: mish }), { outputs: 2 });
  }
}
