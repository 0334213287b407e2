/**
 * An agent of your own, from public names only: TD3 (Fujimoto et al. 2018). Checks, noise, replay, update ratio, compiled
 * updates, checkpoints and export come from its base. Run: npx tsx examples/ownAgent.ts [--steps 5000]
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import {
  Adam,
  type AgentOptions,
  type BatchTensors,
  evaluate,
  integer,
  learningRateOption,
  lossAndGradients,
  Mlp,
  matrix,
  moveTowards,
  type NoiseSource,
  number,
  numbers,
  OffPolicyAgent,
  type OptionValues,
  offPolicyOptions,
  Pendulum,
  progressBar,
  type ReplayBatch,
  smallerValue,
  train,
  twinCritic,
} from 'diffrl';

const options = {
  ...offPolicyOptions,
  explorationNoise: number(0.1, { min: 0 }, 'Standard deviation of the noise on actions in [-1, 1].'),
  policyDelay: integer(2, { min: 1 }, 'Critic updates to each update of policy and targets.'),
  learningRate: learningRateOption(3e-4, 'Of the policy and the critics.'),
};

type Inputs = BatchTensors & { noise: tf.Tensor2D };

export class OwnTd3 extends OffPolicyAgent<OptionValues<typeof options>, Float32Array> {
  static readonly kind = 'OwnTd3';
  static readonly options = options;

  static create(given: AgentOptions<typeof options>): Promise<OwnTd3> {
    return OwnTd3.make(OwnTd3, given, (compiler) => new OwnTd3(OwnTd3, given, compiler));
  }

  readonly name = 'own TD3';
  private readonly actor = this.own('actor', this.newActor());
  private readonly targetActor = this.own('targetActor', this.newActor());
  private readonly critic = this.own('critic', this.valueCritic(twinCritic(), smallerValue));
  private readonly targetCritic = this.own('targetCritic', this.critic.twin());
  private readonly rate = { learningRate: this.options.learningRate };
  private readonly actorAdam = this.own('actorAdam', new Adam(this.actor.variables, this.rate));
  private readonly criticAdam = this.own('criticAdam', new Adam(this.critic.variables, this.rate));
  private readonly actions = this.program(({ observations }: { observations: tf.Tensor2D }) => ({
    actions: act(this.actor, observations),
  }));
  private readonly updateCritic = this.updateProgram((inputs: Inputs) => this.criticStep(inputs));
  private readonly updateAll = this.updateProgram((inputs: Inputs) => ({
    ...this.criticStep(inputs),
    ...this.actorStep(inputs),
  }));

  protected async policy(observations: Float32Array, rows: number, draw: NoiseSource, explore: boolean) {
    const { actions } = await this.actions({ observations: matrix(observations, this.sizes.observationSize) });
    if (!explore) return { actions };
    const { data } = draw((n) => [n, this.sizes.actionSize], rows);
    return { actions: actions.map((action, i) => action + this.options.explorationNoise * data[i]!) };
  }

  protected drawNoise(): Float32Array {
    return this.noise.normals(this.batchSize * this.sizes.actionSize);
  }

  protected async gradientStep(batch: ReplayBatch, noise: Float32Array) {
    const update = (this.updates + 1) % this.options.policyDelay === 0 ? this.updateAll : this.updateCritic;
    const metrics = numbers(await update({ ...this.batchInputs(batch), noise: matrix(noise, this.sizes.actionSize) }));
    this.updates++;
    return metrics;
  }

  private criticStep(inputs: Inputs) {
    const { observations, actions, rewards, nextObservations, noise, weights } = inputs;
    const smoothing = tf.clipByValue(tf.mul(noise, 0.2), -0.5, 0.5);
    const smoothed: tf.Tensor2D = tf.add(act(this.targetActor, nextObservations), smoothing);
    const bellman = { rewards, discounts: this.discounts(inputs) };
    const target = this.targetCritic.target(nextObservations, tf.clipByValue(smoothed, -1, 1), bellman);
    const { results, gradients } = lossAndGradients(this.critic.variables, () =>
      this.critic.loss(observations, actions, target, weights),
    );
    this.criticAdam.apply(gradients);
    return this.criticResults(results);
  }

  private actorStep({ observations }: Inputs) {
    const { results, gradients } = lossAndGradients(this.actor.variables, () => {
      const [value] = this.critic.apply(observations, act(this.actor, observations));
      return { loss: tf.neg(tf.mean<tf.Scalar>(value)) };
    });
    this.actorAdam.apply(gradients);
    moveTowards(this.targetActor.variables, this.actor.variables, 0.005);
    moveTowards(this.targetCritic.variables, this.critic.variables, 0.005);
    return { actorLoss: results.loss };
  }

  private newActor(): Mlp {
    const sizes = { inputs: this.sizes.observationSize, hidden: [256, 256], outputs: this.sizes.actionSize };
    return new Mlp(this.networks.split('actor'), { ...sizes, activation: tf.relu });
  }
}

const act = (actor: Mlp, observations: tf.Tensor2D): tf.Tensor2D => tf.tanh(actor.apply(observations));

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({ options: { steps: { type: 'string', default: '5000' } } });
  const env = new Pendulum();
  const agent = await OwnTd3.create({ env, warmupSteps: 1000, batchSize: 64, learningRate: 1e-3 });
  await train({ agent, env, steps: Number(values.steps), callbacks: [progressBar()] });
  const { mean } = await evaluate({ agent, env: new Pendulum(), episodes: 10 });
  console.log(`mean return ${mean.toFixed(0)} after ${values.steps} steps`);
  agent.dispose();
}
