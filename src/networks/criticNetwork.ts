import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, show } from '../errors.js';
import { moveTowards } from '../ops/ema.js';
import { repeatRows } from '../ops/repeatRows.js';
import { prefixVariables, type Variables } from '../ops/variables.js';
import { type Option, option } from '../options.js';
import { type Rng, requireRng } from '../rng/rng.js';

/** What a critic's network is made for. */
export interface CriticSizes {
  observationSize: number;
  actionSize: number;
  /** Numbers that each head gives: 1 for a value, quantiles or atoms for a distribution of returns. */
  outputs: number;
  /** K, where latents of a chain are valued too (DiffSAC, DiffWPO); then `step` is handed in. */
  diffusionSteps?: number;
}

/** How a critic's network is called. */
export interface CriticCall {
  /** Normalise with the batch and move running statistics; default `false`. */
  training?: boolean;
  /** `[B]`, steps of the latents in place of actions; K for actions themselves. */
  step?: tf.Tensor1D;
}

/** The outputs of both heads, `[B, outputs]` each. */
export type Heads = [tf.Tensor2D, tf.Tensor2D];

/**
 * Two networks of observation and action, the twin critics of an agent.
 *
 * **Subclass requirements.** Traceable: no reads, no shapes that depend on data. `variables` names everything that gradients
 * train, `statistics` what moves besides in training calls. Made again from the same `rng` it has the same names and sizes.
 */
export interface CriticNetwork {
  readonly variables: Variables;
  readonly statistics?: Variables;
  /** The outputs of both heads for observations `[B, O]` and actions `[B, A]`, `[B, outputs]` each, or `[B]` for one output. */
  apply(observations: tf.Tensor2D, actions: tf.Tensor2D, call?: CriticCall): readonly tf.Tensor[];
  /** The same at observations `[B, O]` for actions `[B * groupSize, A]`, where that can be had for less than by `apply`. */
  bind?(observations: tf.Tensor2D, groupSize: number): (actions: tf.Tensor2D) => readonly tf.Tensor[];
  /** Called after a step of the optimiser by agents that train running statistics, for what must hold of variables. Traceable. */
  project?(): void;
  dispose(): void;
}

/** Makes the network of an agent's critics: {@link twinCritic}, {@link crossQCritic}, {@link broCritic} or one of your own. */
export type CriticFactory = (rng: Rng, sizes: CriticSizes) => CriticNetwork;

/** A {@link CriticFactory} as an option of an agent. */
export const criticNetworkOption: Option<CriticFactory | undefined> = option<CriticFactory>({
  doc: "Makes the critics' network, in place of the agent's own: broCritic(...), twinCritic(...) or a function of yours.",
  allowed: 'function of Rng and CriticSizes to a CriticNetwork',
  defaultText: "the agent's",
  check: (where, name, value) => {
    if (typeof value === 'function') return value as CriticFactory;
    throw new ArgumentError(`${where}: ${name} must be a function such as broCritic(), got ${show(value)}.`);
  },
});

/** A network of one head. */
export interface HeadNetwork {
  readonly variables: Variables;
  readonly statistics?: Variables;
  /** `[B, O + A]` to `[B, outputs]`. */
  apply(x: tf.Tensor2D, training?: boolean): tf.Tensor2D;
  /** As {@link CriticNetwork.project}. */
  project?(): void;
  dispose(): void;
}

/** Two networks of observation and action side by side, made alike from random numbers of their own, as twin critics. */
export function twinHeads(rng: Rng, make: (rng: Rng) => HeadNetwork): CriticNetwork & { statistics: Variables } {
  requireRng('twinHeads', rng);
  if (typeof make !== 'function') throw new ArgumentError(`twinHeads: make must be a function, got ${show(make)}.`);
  const heads = [0, 1].map((i) => make(rng.split(`head${i}`)));
  const named = (variables: (Variables | undefined)[]): Variables =>
    Object.assign({}, ...variables.map((own, i) => prefixVariables(`head${i}`, own ?? {})));
  return {
    variables: named(heads.map((head) => head.variables)),
    statistics: named(heads.map((head) => head.statistics)),
    apply(observations, actions, { training = false } = {}) {
      const x = tf.concat([observations, actions], 1);
      return heads.map((head) => head.apply(x, training));
    },
    project() {
      for (const head of heads) head.project?.();
    },
    dispose() {
      for (const head of heads) head.dispose();
    },
  };
}

/** What {@link CriticHeads} are made from. */
export interface CriticPlan {
  /** Whom errors name. */
  where: string;
  make: CriticFactory;
  /** Its part `critic` is what the network starts from. */
  rng: Rng;
  sizes: CriticSizes;
}

/** A critic's network that has been looked at: it gives what an agent needs of it. */
export class CriticHeads {
  readonly variables: Variables;
  readonly statistics: Variables;
  private readonly network: CriticNetwork;

  /** @throws ArgumentError unless the network has two heads of so many outputs */
  constructor(private readonly plan: CriticPlan) {
    this.network = requireNetwork(plan, plan.make(plan.rng.split('critic'), plan.sizes));
    this.variables = this.network.variables;
    this.statistics = this.network.statistics ?? {};
    requireOutputs(plan, this.network);
  }

  /** The outputs of both heads for observations `[B, O]` and actions `[B, A]`. */
  apply(observations: tf.Tensor2D, actions: tf.Tensor2D, call?: CriticCall): Heads {
    return this.columns(this.network.apply(observations, actions, call));
  }

  /** The same at fixed observations `[B, O]` for actions `[B * groupSize, A]`, `groupSize` in a row for each. */
  bind(observations: tf.Tensor2D, groupSize: number): (actions: tf.Tensor2D) => Heads {
    const bound = this.network.bind?.(observations, groupSize);
    if (bound) return (actions) => this.columns(bound(actions));
    const repeated = repeatRows(observations, groupSize);
    return (actions) => this.apply(repeated, actions);
  }

  /**
   * Another with the same numbers, to follow this one.
   *
   * @throws ArgumentError if it has other variables, or statistics, which nobody would move
   */
  twin(): CriticHeads {
    const [moving] = Object.keys(this.statistics);
    if (moving) {
      throw new ArgumentError(
        `${this.plan.where}: criticNetwork: the running statistics (${moving}) move in training mode only, which this agent with its target networks has not: take one without, or DimeAgent, CrossQAgent, SdacAgent, DpmdAgent, DiffSacAgent, DiffWpoAgent or QsmAgent.`,
      );
    }
    const twin = new CriticHeads(this.plan);
    const sizes = ({ variables }: CriticHeads) =>
      Object.entries(variables).map(([name, { shape }]) => `${name} [${shape}]`);
    const [own, other] = [sizes(this), sizes(twin)];
    if (own.join() !== other.join()) {
      throw new ArgumentError(
        `${this.plan.where}: criticNetwork must make the same variables each time, got ${own.join(', ')}, then ${other.join(', ')}.`,
      );
    }
    moveTowards(twin.variables, this.variables, 1);
    return twin;
  }

  /** After a step of the optimiser, as the network wants it. */
  project(): void {
    this.network.project?.();
  }

  dispose(): void {
    this.network.dispose();
  }

  private columns(heads: readonly tf.Tensor[]): Heads {
    return heads.map((head) => (head.rank === 2 ? head : tf.reshape(head, [-1, this.plan.sizes.outputs]))) as Heads;
  }
}

function requireNetwork({ where }: CriticPlan, network: CriticNetwork): CriticNetwork {
  const missing = (['apply', 'dispose'] as const).find((method) => typeof network?.[method] !== 'function');
  if (missing) {
    throw new ArgumentError(`${where}: criticNetwork must make a CriticNetwork; ${show(network)} has no ${missing}().`);
  }
  const variables = { ...network.variables, ...network.statistics };
  const odd = Object.entries(variables).find(([, variable]) => !(variable instanceof tf.Variable));
  if (odd || !Object.keys(network.variables ?? {}).length) {
    const found = odd ? `${odd[0]} is ${show(odd[1])}` : `got ${show(network.variables)}`;
    throw new ArgumentError(
      `${where}: criticNetwork: variables must hold the tf.Variables that are trained; ${found}.`,
    );
  }
  return network;
}

/** Tries the network on two rows of zeros. */
function requireOutputs({ where, sizes }: CriticPlan, network: CriticNetwork): void {
  const { observationSize, actionSize, outputs, diffusionSteps } = sizes;
  const shapes = tf.tidy(() => {
    const step = diffusionSteps === undefined ? {} : { step: tf.zeros<tf.Rank.R1>([2]) };
    const heads = network.apply(tf.zeros([2, observationSize]), tf.zeros([2, actionSize]), step);
    return Array.isArray(heads)
      ? heads.map((head) => (head instanceof tf.Tensor ? `[${head.shape}]` : show(head)))
      : [];
  });
  const allowed = outputs === 1 ? ['[2]', '[2,1]'] : [`[2,${outputs}]`];
  if (shapes.length === 2 && shapes.every((shape) => allowed.includes(shape))) return;
  throw new ArgumentError(
    `${where}: criticNetwork must give two tensors of shape [B, ${outputs}], one a head; for 2 rows it gave ${shapes.join(' and ') || 'no list of tensors'}.`,
  );
}
