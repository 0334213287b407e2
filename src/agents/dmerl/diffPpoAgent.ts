import * as tf from '@tensorflow/tfjs-core';
import { LatentValue } from '../../networks/latentValue.js';
import { logNoising, stepBatch } from '../../objectives/stepBatch.js';
import { TemperatureControl, temperatureOption } from '../../objectives/temperatureControl.js';
import { Adam, learningRateOption } from '../../ops/adam.js';
import { logNormal } from '../../ops/gaussian.js';
import { flag, integer, number, type OptionValues, oneOf, widths } from '../../options.js';
import { Rng } from '../../rng/rng.js';
import type { Metrics } from '../agent.js';
import type { AgentOptions } from '../baseAgent.js';
import type { ExportableAgent, PolicyGraph } from '../exportOnnx.js';
import type { NoiseSource } from '../noiseSource.js';
import { OnPolicyAgent, onPolicyOptions, type PpoInputs, type StepPairs, type StepStarts } from '../onPolicyAgent.js';
import { updateScalingOption } from '../updateScaling.js';
import { ChainActor } from './chainActor.js';
import { clipBounds, clipScalingOption } from './clipScaling.js';
import { evaluationOption, samplerOption } from './options.js';

const diffPpoOptions = {
  ...onPolicyOptions,
  sampler: samplerOption,
  epochs: integer(5, { min: 1 }, 'Passes over a rollout.'),
  minibatchSize: integer(
    256,
    { min: 1 },
    'Transitions of the augmented MDP in a gradient step (before updateScaling).',
  ),
  updateScaling: updateScalingOption,
  clip: number(
    0.2,
    { above: 0, below: 1 },
    'Ratios of an unscaled policy (K = 1) are clipped to [1 - clip, 1 + clip].',
  ),
  clipScaling: clipScalingOption,
  targetChainKl: number(
    0.05,
    { above: 0 },
    "An update stops early when a minibatch's chain KL from the old policy exceeds this.",
  ),
  temperature: temperatureOption(
    0.005,
    'Of rewards as the agent sees them, see scaleRewards; 0 is plain PPO on the chain (DPPO).',
  ),
  discountMode: oneOf(
    ['phase', 'root', 'flat'],
    'phase',
    'How discounts are spread over diffusion steps; see DiscountMode.',
  ),
  value: oneOf(['latent', 'state'], 'latent', 'Values see latent and step, or the observation only, as in DPPO.'),
  valueHidden: widths([256, 256], 'Hidden layers of the value network.'),
  recomputeEntropy: flag(true, 'Re-evaluate the entropy part of the advantages at the current parameters.'),
  learningRate: learningRateOption(3e-4, 'Of policy and value network.'),
  evaluation: evaluationOption('sde'),
};

export type DiffPpoOptions = AgentOptions<typeof diffPpoOptions>;

/**
 * DiffPPO (Sanokowski et al. 2025): proximal policy optimisation of the soft return on the augmented MDP, whose steps
 * are the single transitions of the diffusion chain.
 *
 * The chain runs inside `act`, for all environments at once. Give it a vector environment: an update comes every
 * `rolloutSteps` environment steps.
 *
 * @example
 * ```ts
 * const agent = await DiffPpoAgent.create({ env, temperature: { anneal: { from: 0.02, to: 0.001, duration: 5e5 } } });
 * await train({ agent, env, steps: 1_000_000 });
 * ```
 */
export class DiffPpoAgent extends OnPolicyAgent<OptionValues<typeof diffPpoOptions>> implements ExportableAgent {
  static readonly kind = 'DiffPpoAgent';
  static readonly options = diffPpoOptions;

  /**
   * Builds the networks; sizes are read from `env`.
   *
   * @throws ArgumentError for an option out of range or an unbounded action space
   */
  static create(options: DiffPpoOptions): Promise<DiffPpoAgent> {
    return DiffPpoAgent.make(DiffPpoAgent, options, (compiler) => new DiffPpoAgent(DiffPpoAgent, options, compiler));
  }

  readonly name = 'DiffPPO';
  readonly sampler = this.own('actor', this.options.sampler.build(this.networks.split('actor'), this.sizes));
  protected readonly actor = this.sampler;
  protected readonly clips = clipBounds(this.options.clipScaling, this.options.clip, this.sampler.schedule);
  protected readonly value = this.own(
    'value',
    new LatentValue(this.networks.split('value'), {
      ...this.sizes,
      diffusionSteps: this.sampler.schedule.steps,
      hidden: this.options.valueHidden,
    }),
  );
  private readonly temperature = this.own(
    'temperature',
    new TemperatureControl(this.options.temperature, this.sizes.actionSize),
  );
  protected readonly actorAdam = this.own(
    'actorAdam',
    new Adam(this.sampler.variables, { ...this.options.adam, learningRate: this.options.learningRate }),
  );
  protected readonly valueAdam = this.own(
    'valueAdam',
    new Adam(this.value.variables, { ...this.options.adam, learningRate: this.options.learningRate }),
  );
  private readonly priors = this.own('priors', Rng.fromSeed(this.options.seed).split('priors'));
  protected override readonly discountMode = this.options.discountMode;
  protected override readonly updateScaling = this.options.updateScaling;
  protected override readonly largestKl = this.options.targetChainKl;
  private readonly chainActor = new ChainActor(this.sampler, this.options.evaluation, (program) =>
    this.program(program),
  );

  protected explore(seen: Float32Array, draw: NoiseSource) {
    return this.chainActor.explore(seen, draw);
  }

  protected evaluate(seen: Float32Array, draw: NoiseSource) {
    return this.chainActor.evaluate(seen, draw);
  }

  protected override nextLatents(rows: number): Float32Array {
    return this.priors.normals(rows * this.sizes.actionSize, 0, this.sampler.priorStd);
  }

  protected override temperatureNow(): Promise<number> {
    this.temperature.at(this.steps.value);
    return this.temperature.read();
  }

  protected override summary(results: Metrics[]): Metrics {
    const summary = super.summary(results);
    const { temperature } = results.at(-1) as Metrics;
    const entropyBound = this.sampler.priorEntropy - (summary.runCost as number);
    return { ...summary, entropyBound, temperature: temperature as number };
  }

  /** One gradient step of policy, value network and automatic temperature. */
  protected override gradientStep(inputs: PpoInputs) {
    const results = super.gradientStep(inputs);
    this.temperature.step(tf.sub(results.runCost as tf.Scalar, this.sampler.priorEntropy));
    return { ...results, temperature: this.temperature.value() };
  }

  protected override actorLoss(inputs: PpoInputs) {
    return super.actorLoss(inputs, this.temperature.value(), this.options.recomputeEntropy);
  }

  /** The squash's log-determinant is counted with the noising kernel's density. */
  protected densities(rows: StepPairs) {
    const batch = stepBatch(this.sampler, rows, { temperature: 1 });
    const { mean, std } = batch;
    return {
      mean,
      std,
      forward: logNormal(rows.next, mean, std) as tf.Tensor1D,
      backward: logNoising(batch, rows.next),
    };
  }

  protected valueAt({ observations, x, step }: StepStarts): tf.Tensor1D {
    const seen = this.options.value === 'latent' ? 1 : 0;
    const scaled: tf.Tensor2D = tf.mul(x, seen / this.sampler.priorStd);
    return this.value.apply(observations, scaled, tf.mul(step, seen))[0] as tf.Tensor1D;
  }

  /** The policy as `explore: false` runs it, with the observation statistics of now. */
  policyGraph(rows: number): PolicyGraph {
    return this.chainActor.graph(rows, this.preprocess);
  }
}
