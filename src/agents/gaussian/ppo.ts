import * as tf from '@tensorflow/tfjs-core';
import { constant } from '../../networks/initializers.js';
import { Mlp } from '../../networks/mlp.js';
import { Adam, learningRateOption } from '../../ops/adam.js';
import { logNormal } from '../../ops/gaussian.js';
import { number, type OptionValues, widths } from '../../options.js';
import type { Metrics } from '../agent.js';
import { matrix } from '../arrays.js';
import type { AgentOptions } from '../baseAgent.js';
import type { ExportableAgent, PolicyGraph } from '../exportOnnx.js';
import type { NoiseSource } from '../noiseSource.js';
import { OnPolicyAgent, onPolicyOptions, type StepPairs, type StepStarts } from '../onPolicyAgent.js';

const ppoOptions = {
  ...onPolicyOptions,
  hidden: widths([64, 64], 'Hidden layers of policy and value network, tanh.'),
  std: number(
    1,
    { above: 0 },
    'Standard deviation of actions in [-1, 1] at the start; it is learned, the same everywhere.',
  ),
  entropyBonus: number(0, { min: 0 }, "Weight of the Gaussian's entropy in the policy's objective."),
  targetKl: number(undefined, { above: 0 }, 'An update stops early when the KL from the old policy exceeds this.'),
  learningRate: learningRateOption(3e-4, 'Of policy and value network.'),
};

export type PpoOptions = AgentOptions<typeof ppoOptions>;

/**
 * PPO (Schulman et al. 2017, "Proximal Policy Optimization Algorithms") with a Gaussian policy, whose draws the environment
 * gets clipped to its bounds; the standard deviation does not depend on the observation. Evaluates at the mean. Defaults are
 * the paper's for MuJoCo, with observations and rewards normalised as in the authors' code.
 *
 * Give it a vector environment: an update comes every `rolloutSteps` environment steps. SDAC's authors ran it with
 * `rolloutSteps: 4096`.
 *
 * @example
 * ```ts
 * const agent = await PpoAgent.create({ env, seed: 1 });
 * await train({ agent, env, steps: 1_000_000 });
 * ```
 */
export class PpoAgent extends OnPolicyAgent<OptionValues<typeof ppoOptions>> implements ExportableAgent {
  static readonly kind = 'PpoAgent';
  static readonly options = ppoOptions;

  /** @throws ArgumentError for an option out of range or an unbounded action space */
  static create(options: PpoOptions): Promise<PpoAgent> {
    return PpoAgent.make(PpoAgent, options, (compiler) => new PpoAgent(PpoAgent, options, compiler));
  }

  readonly name = 'PPO';
  protected readonly clips = [this.options.clip];
  protected override readonly largestKl = this.options.targetKl ?? Infinity;
  private readonly mean = new Mlp(this.networks.split('actor'), {
    ...{ inputs: this.sizes.observationSize, outputs: this.sizes.actionSize },
    ...{ hidden: this.options.hidden, activation: tf.tanh },
  });
  private readonly logStd = constant<tf.Rank.R1>([this.sizes.actionSize], Math.log(this.options.std));
  protected readonly actor = this.own('actor', {
    variables: { ...this.mean.variables, logStd: this.logStd },
    dispose: () => {
      this.mean.dispose();
      this.logStd.dispose();
    },
  });
  protected readonly value = this.own(
    'value',
    new Mlp(this.networks.split('value'), {
      ...{ inputs: this.sizes.observationSize, outputs: 1, hidden: this.options.hidden, activation: tf.tanh },
    }),
  );
  protected readonly actorAdam = this.own('actorAdam', this.newAdam(this.actor.variables));
  protected readonly valueAdam = this.own('valueAdam', this.newAdam(this.value.variables));

  private readonly draws = this.program(
    ({ observations, noise }: { observations: tf.Tensor2D; noise: tf.Tensor2D }) => ({
      actions: tf.add(this.mean.apply(observations), tf.mul(noise, tf.exp(this.logStd))),
    }),
  );
  private readonly means = this.program(({ observations }: { observations: tf.Tensor2D }) => ({
    actions: this.mean.apply(observations),
  }));

  /** The chain of one step starts at 0 and ends in what was drawn. */
  protected async explore(seen: Float32Array, draw: NoiseSource) {
    const { observationSize, actionSize } = this.sizes;
    const noise = draw((rows) => [rows, actionSize], seen.length / observationSize);
    const { actions } = await this.draws({ observations: matrix(seen, observationSize), noise });
    return { actions, latents: Float32Array.from([...new Float32Array(actions.length), ...actions]) };
  }

  protected evaluate(seen: Float32Array) {
    return this.means({ observations: matrix(seen, this.sizes.observationSize) });
  }

  policyGraph(rows: number): PolicyGraph {
    const { observationSize, actionSize } = this.sizes;
    const { preprocess } = this;
    return {
      inputs: { observation: { shape: [rows, observationSize] }, noise: { shape: [rows, actionSize] } },
      program: ({ observation }) => ({ action: tf.clipByValue(this.mean.apply(preprocess(observation)), -1, 1) }),
    };
  }

  protected densities({ observations, next }: StepPairs) {
    const mean = this.mean.apply(observations);
    const std: tf.Tensor2D = tf.add(tf.zerosLike(mean), tf.exp(this.logStd));
    const forward = logNormal(next, mean, std) as tf.Tensor1D;
    return { mean, std, forward, backward: tf.zerosLike(forward) };
  }

  protected valueAt({ observations }: StepStarts): tf.Tensor1D {
    return tf.reshape(this.value.apply(observations), [-1]);
  }

  /** The loss of a sample with the entropy's part, which is one number. */
  protected override weighted(loss: tf.Tensor1D): tf.Tensor1D {
    return this.options.entropyBonus ? tf.sub(loss, tf.mul(tf.sum(this.logStd), this.options.entropyBonus)) : loss;
  }

  protected override summary(results: Metrics[]): Metrics {
    const { runCost, ...summary } = super.summary(results);
    return { ...summary, entropy: -(runCost as number) };
  }

  private newAdam(variables: Mlp['variables']): Adam {
    return new Adam(variables, { ...this.options.adam, learningRate: this.options.learningRate });
  }
}
