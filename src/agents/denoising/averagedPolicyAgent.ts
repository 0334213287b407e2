import * as tf from '@tensorflow/tfjs-core';
import type { DdpmSampler } from '../../diffusion/ddpm.js';
import type { ParticleSampler } from '../../diffusion/sampler.js';
import { twinCritic } from '../../networks/twinCritic.js';
import type { ActionValues } from '../../objectives/actionValues.js';
import { objectiveOption } from '../../objectives/criticObjective.js';
import { smallerValue } from '../../objectives/scalar.js';
import { mish } from '../../ops/activations.js';
import { Adam, adamOption, learningRateOption } from '../../ops/adam.js';
import { clipGlobalNorm } from '../../ops/clipGlobalNorm.js';
import { moveTowards } from '../../ops/ema.js';
import { lossAndGradients } from '../../ops/gradients.js';
import { integer, number, type OptionValues, widths } from '../../options.js';
import type { ReplayBatch } from '../../replay/replay.js';
import type { StateArray } from '../../state.js';
import type { Metrics } from '../agent.js';
import { matrix } from '../arrays.js';
import type { ExportableAgent, PolicyGraph } from '../exportOnnx.js';
import type { NoiseSource } from '../noiseSource.js';
import { type BatchTensors, OffPolicyAgent, offPolicyOptions } from '../offPolicyAgent.js';
import { numbers, type Outputs } from '../program.js';
import { bestActions, bestActionsGraph, type Chooser } from './bestActions.js';

/** Options of {@link AveragedPolicyAgent}. */
export const averagedPolicyOptions = {
  ...offPolicyOptions,
  policyHidden: widths([256, 256, 256], "Hidden layers of the policy's network, Mish."),
  criticHidden: widths([256, 256, 256], 'Hidden layers of both critics, Mish.'),
  critic: objectiveOption,
  particles: integer(1, { min: 1 }, 'Actions drawn when exploring, of which the critics pick one.'),
  evaluationParticles: integer(1, { min: 1 }, 'The same without exploring.'),
  targetParticles: integer(1, { min: 1 }, "The same in the critics' targets, by the target critics."),
  targetRate: number(0.005, { above: 0, max: 1 }, 'How far target critics and the average policy move.'),
  averageEvery: integer(1, { min: 1 }, 'Gradient steps between two moves of the average policy.'),
  averageAfter: integer(0, { min: 0 }, 'Gradient steps before its first move.'),
  maxGradientNorm: number(2, { above: 0 }, 'Largest norm of the gradients of policy and of critics.'),
  policyLearningRate: learningRateOption(3e-4, 'Of the policy.'),
  criticLearningRate: learningRateOption(3e-4, 'Of the critics.'),
  policyAdam: adamOption({ epsilon: 1e-5 }, "Of the policy's optimiser."),
  criticAdam: adamOption({ epsilon: 1e-5 }, "Of the critics' optimiser."),
};

/** The random numbers of one gradient step: those of the targets' chain, and what the policy's loss needs (`Own`). */
export type AveragedPolicyNoise<Own> = { nextNoise: StateArray } & { [Name in keyof Own]: StateArray };

type UpdateInputs<Own> = BatchTensors & { nextNoise: tf.Tensor } & Own;

/** A loss to be minimised, and scalars to report. */
export type PolicyLoss = Record<string, tf.Tensor> & { loss: tf.Scalar };

/**
 * A diffusion policy beside a moving average of itself that the critics' targets are drawn from: Diffusion-QL,
 * Consistency-AC, DIPO, QVPO.
 * Critics first, then the policy by a loss of the subclass's, then the averages.
 *
 * **Subclass requirements.** Those of {@link BaseAgent}; `newSampler` makes the chain, `drawPolicyNoise` the random numbers
 * that `policyObjective` gets among its inputs, and that prepares all constants and returns the loss.
 */
export abstract class AveragedPolicyAgent<
    Options extends OptionValues<typeof averagedPolicyOptions>,
    Own extends Record<string, tf.Tensor>,
    Policy extends ParticleSampler = DdpmSampler,
  >
  extends OffPolicyAgent<Options, AveragedPolicyNoise<Own>>
  implements ExportableAgent
{
  /** The policy that learns and acts. */
  readonly sampler: Policy = this.own('policy', this.newSampler().build(this.networks.split('policy'), this.sizes));
  protected readonly average = this.own('averagePolicy', this.sampler.twin());
  protected readonly critic = this.own('critic', this.makeCritic());
  protected readonly targetCritic = this.own('targetCritic', this.critic.twin());
  private readonly policyAdam = this.own(
    'policyAdam',
    new Adam(this.sampler.variables, { ...this.options.policyAdam, learningRate: this.options.policyLearningRate }),
  );
  private readonly criticAdam = this.own(
    'criticAdam',
    new Adam(this.critic.variables, { ...this.options.criticAdam, learningRate: this.options.criticLearningRate }),
  );

  private readonly exploring = this.chooser(() => ({ ...this.judged, particles: this.options.particles }));
  private readonly evaluating = this.chooser(() => this.evaluated);
  private readonly step = this.updateProgram((inputs: UpdateInputs<Own>) => {
    return { ...this.criticStep(inputs), ...this.policyStep(inputs) };
  });
  private readonly move = this.program(() => {
    moveTowards(this.average.variables, this.sampler.variables, this.options.targetRate);
    return {};
  });

  /** The critics that choose among actions. */
  protected get judge(): ActionValues {
    return this.critic;
  }

  /** The policy's chain before it is built. */
  protected abstract newSampler(): Policy;
  /** Random numbers of a policy update, by the names under which `policyObjective` sees them. */
  protected abstract drawPolicyNoise(): { [Name in keyof Own]: StateArray };
  /** Prepares what is constant in an update of the policy, and returns its loss. Traceable. */
  protected abstract policyObjective(inputs: BatchTensors & Own): () => PolicyLoss;

  /** What of the noise the chain takes without exploring: all of it. Traceable. */
  protected withoutExploring(noise: tf.Tensor): tf.Tensor {
    return noise;
  }

  protected async policy(observations: Float32Array, rows: number, draw: NoiseSource, explore: boolean) {
    const { particles, evaluationParticles } = this.options;
    const noise = draw((n) => this.sampler.noiseShape(n * (explore ? particles : evaluationParticles)), rows);
    const choose = explore ? this.exploring : this.evaluating;
    return choose({ observations: matrix(observations, this.sizes.observationSize), noise });
  }

  policyGraph(rows: number): PolicyGraph {
    return bestActionsGraph(this.evaluated, rows, this.sizes.observationSize);
  }

  protected drawNoise(): AveragedPolicyNoise<Own> {
    return { nextNoise: this.chainNoise(this.options.targetParticles), ...this.drawPolicyNoise() };
  }

  /** Noise of `particles` chains for each row of a batch. */
  protected chainNoise(particles = 1): StateArray {
    const shape = this.sampler.noiseShape(this.batchSize * particles);
    return { data: this.noise.normals(tf.util.sizeFromShape(shape)), shape };
  }

  /** One update of critics, policy and target critics, and of the average policy when it is due. */
  protected async gradientStep(batch: ReplayBatch, noise: AveragedPolicyNoise<Own>): Promise<Metrics> {
    const outputs = await this.step({ ...this.batchInputs(batch), ...noise });
    this.updates++;
    const { averageAfter, averageEvery } = this.options;
    if (this.updates > averageAfter && this.updates % averageEvery === 0) await this.move({});
    return numbers(this.metricsOf(outputs, batch));
  }

  /** The actions taken `[B, A]`, from what replay keeps of them. Traceable. */
  protected taken(stored: tf.Tensor2D): tf.Tensor2D {
    return stored;
  }

  /** What an update gave besides the scalars that it reports is taken out here. */
  protected metricsOf(outputs: Outputs<string>, _batch: ReplayBatch): Outputs<string> {
    return outputs;
  }

  /** Both critics towards the smaller target value of the average policy's best action. */
  private criticStep(inputs: UpdateInputs<Own>) {
    const { observations, actions, rewards, nextObservations, nextNoise, weights } = inputs;
    const { targetParticles, maxGradientNorm } = this.options;
    const chooser = { sampler: this.average, critic: this.targetCritic, particles: targetParticles };
    const next = bestActions(chooser, nextObservations, nextNoise);
    const target = this.targetCritic.target(nextObservations, next, { rewards, discounts: this.discounts(inputs) });
    const { results, gradients } = lossAndGradients(this.critic.variables, () =>
      this.critic.loss(observations, this.taken(actions), target, weights),
    );
    this.criticAdam.apply(clipGlobalNorm(gradients, maxGradientNorm));
    return this.criticResults(results);
  }

  private policyStep(inputs: UpdateInputs<Own>): Record<string, tf.Tensor> {
    const { results, gradients } = lossAndGradients(this.sampler.variables, this.policyObjective(inputs));
    this.policyAdam.apply(clipGlobalNorm(gradients, this.options.maxGradientNorm));
    moveTowards(this.targetCritic.variables, this.critic.variables, this.options.targetRate);
    const { loss: policyLoss, ...others } = results;
    return { policyLoss: policyLoss as tf.Tensor, ...others };
  }

  private get judged() {
    return { sampler: this.sampler, critic: this.judge };
  }

  private get evaluated(): Chooser {
    const { evaluationParticles: particles } = this.options;
    return { ...this.judged, particles, noise: (noise) => this.withoutExploring(noise) };
  }

  private chooser(chooser: () => Chooser) {
    return this.program(({ observations, noise }: { observations: tf.Tensor2D; noise: tf.Tensor }) => ({
      actions: bestActions(chooser(), observations, noise),
    }));
  }

  private makeCritic(): ActionValues {
    const { criticHidden: hidden, critic = smallerValue } = this.options;
    return this.valueCritic(twinCritic({ hidden, activation: mish }), critic);
  }
}
