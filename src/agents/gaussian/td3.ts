import * as tf from '@tensorflow/tfjs-core';
import { Mlp } from '../../networks/mlp.js';
import { twinCritic } from '../../networks/twinCritic.js';
import { objectiveOption } from '../../objectives/criticObjective.js';
import { smallerValue } from '../../objectives/scalar.js';
import { Adam, adamOption, learningRateOption } from '../../ops/adam.js';
import { moveTowards } from '../../ops/ema.js';
import { lossAndGradients } from '../../ops/gradients.js';
import { integer, number, type OptionValues, widths } from '../../options.js';
import type { ReplayBatch } from '../../replay/replayBuffer.js';
import type { Metrics } from '../agent.js';
import { matrix } from '../arrays.js';
import type { AgentOptions } from '../baseAgent.js';
import type { ExportableAgent, PolicyGraph } from '../exportOnnx.js';
import type { NoiseSource } from '../noiseSource.js';
import { type BatchTensors, OffPolicyAgent, offPolicyOptions } from '../offPolicyAgent.js';
import { numbers } from '../program.js';

const td3Options = {
  ...offPolicyOptions,
  warmupSteps: integer(25_000, { min: 0 }, 'Uniformly random environment steps at the start.'),
  hidden: widths([256, 256], 'Hidden layers of the policy and of both critics, ReLU.'),
  explorationNoise: number(0.1, { min: 0 }, 'Standard deviation of the noise on actions in [-1, 1].'),
  targetNoise: number(0.2, { min: 0 }, 'Standard deviation of the noise on target actions.'),
  targetNoiseLimit: number(0.5, { min: 0 }, 'Where that noise is clipped.'),
  policyDelay: integer(2, { min: 1 }, 'Critic updates to each update of policy and targets.'),
  critic: objectiveOption,
  targetRate: number(0.005, { above: 0, max: 1 }, 'How far target networks move in an update.'),
  actorLearningRate: learningRateOption(3e-4, 'Of the policy.'),
  criticLearningRate: learningRateOption(3e-4, 'Of the critics.'),
  adam: adamOption({}, 'The optimisers of policy and critics.'),
};

export type Td3Options = AgentOptions<typeof td3Options>;

type CriticInputs = BatchTensors & { noise: tf.Tensor2D };

/**
 * TD3 (Fujimoto et al. 2018, "Addressing Function Approximation Error in Actor-Critic Methods"): a deterministic policy with
 * exploration noise, the smaller of two target critics at a smoothed target action, and delayed policy updates. Defaults are
 * those of the authors' code for Gymnasium's MuJoCo tasks.
 *
 * @example
 * ```ts
 * const agent = await Td3Agent.create({ env, seed: 1 });
 * await train({ agent, env, steps: 100_000 });
 * ```
 */
export class Td3Agent extends OffPolicyAgent<OptionValues<typeof td3Options>, Float32Array> implements ExportableAgent {
  static readonly kind = 'Td3Agent';
  static readonly options = td3Options;

  /** @throws ArgumentError for an option out of range or an unbounded action space */
  static create(options: Td3Options): Promise<Td3Agent> {
    return Td3Agent.make(Td3Agent, options, (compiler) => new Td3Agent(Td3Agent, options, compiler));
  }

  readonly name = 'TD3';
  private readonly actor = this.own('actor', this.newActor());
  private readonly targetActor = this.own('targetActor', this.newActor());
  private readonly critic = this.own(
    'critic',
    this.valueCritic(
      twinCritic({ hidden: this.options.hidden, activation: tf.relu }),
      this.options.critic ?? smallerValue,
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

  private readonly actions = this.program(({ observations }: { observations: tf.Tensor2D }) => ({
    actions: act(this.actor, observations),
  }));
  private readonly updateCritic = this.updateProgram((inputs: CriticInputs) => this.criticStep(inputs));
  private readonly updateAll = this.updateProgram((inputs: CriticInputs) => ({
    ...this.criticStep(inputs),
    ...this.actorStep(inputs.observations),
  }));

  protected async policy(observations: Float32Array, rows: number, draw: NoiseSource, explore: boolean) {
    const { actions } = await this.actions({ observations: matrix(observations, this.sizes.observationSize) });
    if (!explore) return { actions };
    const { data } = draw((n) => [n, this.sizes.actionSize], rows);
    return { actions: actions.map((action, i) => action + this.options.explorationNoise * data[i]!) };
  }

  policyGraph(rows: number): PolicyGraph {
    return {
      inputs: {
        observation: { shape: [rows, this.sizes.observationSize] },
        noise: { shape: [rows, this.sizes.actionSize] },
      },
      program: ({ observation }) => ({ action: act(this.actor, observation) }),
    };
  }

  /** Noise of the target actions, `[batchSize * A]`. */
  protected drawNoise(): Float32Array {
    return this.noise.normals(this.batchSize * this.sizes.actionSize);
  }

  /** One update of the critics, with one of the policy and all targets when it is due. */
  protected async gradientStep(batch: ReplayBatch, noise: Float32Array): Promise<Metrics> {
    const isActorDue = (this.updates + 1) % this.options.policyDelay === 0;
    const update = isActorDue ? this.updateAll : this.updateCritic;
    const inputs = { ...this.batchInputs(batch), noise: matrix(noise, this.sizes.actionSize) };
    const metrics = numbers(await update(inputs));
    this.updates++;
    return metrics;
  }

  /** Both critics towards the smaller target value near the target policy's action. */
  private criticStep(inputs: CriticInputs) {
    const { observations, actions, rewards, nextObservations, noise, weights } = inputs;
    const { targetNoise, targetNoiseLimit } = this.options;
    const smoothing = tf.clipByValue(tf.mul(noise, targetNoise), -targetNoiseLimit, targetNoiseLimit);
    const smoothed: tf.Tensor2D = tf.add(act(this.targetActor, nextObservations), smoothing);
    const next = tf.clipByValue(smoothed, -1, 1);
    const bellman = { rewards, discounts: this.discounts(inputs) };
    const target = this.targetCritic.target(nextObservations, next, bellman);
    const { results, gradients } = lossAndGradients(this.critic.variables, () =>
      this.critic.loss(observations, actions, target, weights),
    );
    this.criticAdam.apply(gradients);
    return this.criticResults(results);
  }

  /** The policy up the first critic, then all targets towards what they follow. */
  private actorStep(observations: tf.Tensor2D): Record<'actorLoss', tf.Tensor> {
    const { results, gradients } = lossAndGradients(this.actor.variables, () => {
      const [value] = this.critic.apply(observations, act(this.actor, observations));
      return { loss: tf.neg(tf.mean<tf.Scalar>(value)) };
    });
    this.actorAdam.apply(gradients);
    moveTowards(this.targetActor.variables, this.actor.variables, this.options.targetRate);
    moveTowards(this.targetCritic.variables, this.critic.variables, this.options.targetRate);
    return { actorLoss: results.loss };
  }

  private newActor(): Mlp {
    const { observationSize, actionSize } = this.sizes;
    const options = { inputs: observationSize, hidden: this.options.hidden, outputs: actionSize, activation: tf.relu };
    return new Mlp(this.networks.split('actor'), options);
  }
}

/** Actions in [-1, 1]. */
function act(actor: Mlp, observations: tf.Tensor2D): tf.Tensor2D {
  return tf.tanh(actor.apply(observations));
}
