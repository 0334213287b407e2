import * as tf from '@tensorflow/tfjs-core';
import { Mlp } from '../../networks/mlp.js';
import { twinCritic } from '../../networks/twinCritic.js';
import { type Moments, stepKl } from '../../objectives/chainKl.js';
import { objectiveOption } from '../../objectives/criticObjective.js';
import { scalarObjective } from '../../objectives/scalar.js';
import { wpoSurrogate } from '../../objectives/wpoSurrogate.js';
import { Adam, adamOption, learningRateOption } from '../../ops/adam.js';
import { clipGlobalNorm } from '../../ops/clipGlobalNorm.js';
import { moveTowards } from '../../ops/ema.js';
import { lossAndGradients } from '../../ops/gradients.js';
import { repeatRows } from '../../ops/repeatRows.js';
import { integer, number, type OptionValues, widths } from '../../options.js';
import type { ReplayBatch } from '../../replay/replayBuffer.js';
import type { Metrics } from '../agent.js';
import { matrix } from '../arrays.js';
import type { AgentOptions } from '../baseAgent.js';
import type { ExportableAgent, PolicyGraph } from '../exportOnnx.js';
import type { NoiseSource } from '../noiseSource.js';
import { type BatchTensors, nStep, OffPolicyAgent, offPolicyOptions, updatesPerTransition } from '../offPolicyAgent.js';
import { numbers } from '../program.js';

const wpoOptions = {
  ...offPolicyOptions,
  updatesPerTransition: updatesPerTransition(0.125),
  warmupSteps: integer(1000, { min: 0 }, 'Uniformly random environment steps at the start.'),
  nStep: nStep(5),
  actorHidden: widths([256, 256, 256], 'Hidden layers of the policy, ELU.'),
  criticHidden: widths([512, 512, 256], 'Hidden layers of both critics, ELU.'),
  critic: objectiveOption,
  initialStd: number(0.7, { above: 0 }, 'Standard deviation of actions in [-1, 1] at the start.'),
  sampledActions: integer(20, { min: 1 }, 'Actions drawn for a state, in the gradient of the policy and in targets.'),
  meanKlWeight: number(
    Math.LN2,
    { min: 0 },
    'Price of each nat of KL from the target policy that comes of moving the mean; ln 2, softplus of 0.',
  ),
  stdKlWeight: number(10_000, { min: 0 }, 'The same by the standard deviation, which hardly moves at the default.'),
  targetPeriod: integer(100, { min: 1 }, 'Updates between copies of policy and critics to the target networks.'),
  actorLearningRate: learningRateOption(1e-4, 'Of the policy.'),
  criticLearningRate: learningRateOption(1e-4, 'Of the critics.'),
  maxGradientNorm: number(40, { above: 0 }, "Largest norm of the policy's gradient, and of the critics'."),
  adam: adamOption({}, 'The optimisers of policy and critics.'),
};

export type WpoOptions = AgentOptions<typeof wpoOptions>;

/** Standard normal noise of one gradient step, `[batchSize * sampledActions * A]` each. */
export interface WpoNoise {
  next: Float32Array;
  current: Float32Array;
}

type Inputs = BatchTensors & { nextNoise: tf.Tensor2D; currentNoise: tf.Tensor2D };

/**
 * WPO (Pfau et al. 2025, "Wasserstein Policy Optimization"): a Gaussian policy moves along the critics' gradient in the action,
 * weighed by its own Fisher information ({@link wpoSurrogate}), and is held near a copy of itself by decoupled KL penalties of
 * mean and deviation as in MPO. Actions are clipped to their bounds, beyond which critics have no slope. The copy acts, and gives
 * the targets, averaged over `sampledActions`. Evaluates at the mean.
 *
 * Defaults are those of the authors' code (Acme), but for what it has otherwise: layer norm in both networks
 * (`criticNetwork: broCritic()` has it), one critic where the mean of two is taken here,
 * successors among the states that train the policy, and one norm of both gradients to clip.
 *
 * @example
 * ```ts
 * const agent = await WpoAgent.create({ env, seed: 1 });
 * await train({ agent, env, steps: 100_000 });
 * ```
 */
export class WpoAgent extends OffPolicyAgent<OptionValues<typeof wpoOptions>, WpoNoise> implements ExportableAgent {
  static readonly kind = 'WpoAgent';
  static readonly options = wpoOptions;

  /** @throws ArgumentError for an option out of range or an unbounded action space */
  static create(options: WpoOptions): Promise<WpoAgent> {
    return WpoAgent.make(WpoAgent, options, (compiler) => new WpoAgent(WpoAgent, options, compiler));
  }

  readonly name = 'WPO';
  private readonly actor = this.own('actor', this.newActor());
  private readonly targetActor = this.own('targetActor', this.newActor());
  private readonly critic = this.own(
    'critic',
    this.valueCritic(
      twinCritic({ hidden: this.options.criticHidden, activation: tf.elu }),
      this.options.critic ?? scalarObjective('mean'),
    ),
  );
  private readonly targetCritic = this.own('targetCritic', this.critic.twin());
  private readonly actorAdam = this.own(
    'actorAdam',
    new Adam(this.actor.variables, { ...this.options.adam, learningRate: this.options.actorLearningRate }),
  );
  private readonly criticAdam = this.own(
    'criticAdam',
    new Adam(this.critic.variables, { ...this.options.adam, learningRate: this.options.criticLearningRate }),
  );

  private readonly actions = this.program(
    ({ observations, noise }: { observations: tf.Tensor2D; noise: tf.Tensor2D }) => ({
      actions: drawn(this.moments(this.targetActor, observations), noise),
    }),
  );
  private readonly step = this.updateProgram((inputs: Inputs) => this.descend(inputs));
  private readonly copy = this.program(() => {
    moveTowards(this.targetActor.variables, this.actor.variables, 1);
    moveTowards(this.targetCritic.variables, this.critic.variables, 1);
    return {};
  });

  protected policy(observations: Float32Array, rows: number, draw: NoiseSource, explore: boolean) {
    const { observationSize, actionSize } = this.sizes;
    const still = matrix(new Float32Array(rows * actionSize), actionSize);
    const noise = explore ? draw((n) => [n, actionSize], rows) : still;
    return this.actions({ observations: matrix(observations, observationSize), noise });
  }

  policyGraph(rows: number): PolicyGraph {
    const { observationSize, actionSize } = this.sizes;
    return {
      inputs: { observation: { shape: [rows, observationSize] }, noise: { shape: [rows, actionSize] } },
      program: ({ observation }) => ({ action: clipped(this.moments(this.targetActor, observation).mean) }),
    };
  }

  protected drawNoise(): WpoNoise {
    const draw = () => this.noise.normals(this.batchSize * this.options.sampledActions * this.sizes.actionSize);
    return { next: draw(), current: draw() };
  }

  /** One update of policy and critics, and the copy to the targets when it is due. */
  protected async gradientStep(batch: ReplayBatch, { next, current }: WpoNoise): Promise<Metrics> {
    const { actionSize } = this.sizes;
    const noises = { nextNoise: matrix(next, actionSize), currentNoise: matrix(current, actionSize) };
    const metrics = numbers(await this.step({ ...this.batchInputs(batch), ...noises }));
    this.updates++;
    if (this.updates % this.options.targetPeriod === 0) await this.copy({});
    return metrics;
  }

  /** Critics and policy, each by what the other was before. */
  private descend(inputs: Inputs): Record<string, tf.Tensor> {
    const { observations, actions, weights } = inputs;
    const { maxGradientNorm } = this.options;
    const target = this.target(inputs);
    const policy = lossAndGradients(this.actor.variables, this.policyObjective(inputs));
    const critic = lossAndGradients(this.critic.variables, () =>
      this.critic.loss(observations, actions, target, weights),
    );
    this.actorAdam.apply(clipGlobalNorm(policy.gradients, maxGradientNorm));
    this.criticAdam.apply(clipGlobalNorm(critic.gradients, maxGradientNorm));
    const { loss: actorLoss, policyKl } = policy.results;
    return { ...this.criticResults(critic.results), actorLoss, policyKl };
  }

  /** What critics are trained towards, averaged over actions of the target policy. */
  private target(inputs: Inputs): tf.Tensor2D {
    const { nextObservations, nextNoise, rewards } = inputs;
    const { sampledActions } = this.options;
    const next = drawn(repeated(this.moments(this.targetActor, nextObservations), sampledActions), nextNoise);
    return this.targetCritic.meanTarget(nextObservations, clipped(next), {
      rewards,
      discounts: this.discounts(inputs),
    });
  }

  /** Draws actions and takes the critics' slope there, both constant, and returns the policy's loss. */
  private policyObjective({ observations, currentNoise: noise }: Inputs) {
    const { sampledActions, meanKlWeight, stdKlWeight } = this.options;
    const drawnActions = drawn(repeated(this.moments(this.actor, observations), sampledActions), noise);
    const value = this.critic.bindMean(observations, sampledActions);
    const velocity = tf.grad((a) => tf.sum(value(clipped(a as tf.Tensor2D))))(drawnActions) as tf.Tensor2D;
    const old = this.moments(this.targetActor, observations);
    return () => {
      const now = this.moments(this.actor, observations);
      const surrogate = wpoSurrogate(repeated(now, sampledActions), { noise, velocity });
      const meanKl = tf.mean<tf.Scalar>(stepKl(old, { mean: now.mean, std: old.std }));
      const stdKl = tf.mean<tf.Scalar>(stepKl(old, { mean: old.mean, std: now.std }));
      const penalty = tf.add(tf.mul(meanKl, meanKlWeight), tf.mul(stdKl, stdKlWeight));
      const loss: tf.Scalar = tf.sub(penalty, tf.mul(tf.mean(surrogate), sampledActions));
      return { loss, policyKl: tf.add<tf.Scalar>(meanKl, stdKl) };
    };
  }

  /** The Gaussian of a policy network, before clipping. */
  private moments(actor: Mlp, observations: tf.Tensor2D): Moments {
    const [mean, raw] = tf.split(actor.apply(observations), 2, 1) as [tf.Tensor2D, tf.Tensor2D];
    return { mean, std: tf.add(tf.mul(tf.softplus(raw), this.options.initialStd / Math.LN2), 1e-6) };
  }

  private newActor(): Mlp {
    const { observationSize: inputs, actionSize } = this.sizes;
    const network = { hidden: this.options.actorHidden, activation: tf.elu, lastKernel: 0 };
    return new Mlp(this.networks.split('actor'), { ...network, inputs, outputs: 2 * actionSize });
  }
}

function drawn({ mean, std }: Moments, noise: tf.Tensor2D): tf.Tensor2D {
  return tf.add(mean, tf.mul(std, noise));
}

function clipped(actions: tf.Tensor2D): tf.Tensor2D {
  return tf.clipByValue(actions, -1, 1);
}

function repeated({ mean, std }: Moments, count: number): Moments {
  return { mean: repeatRows(mean, count), std: repeatRows(std, count) };
}
