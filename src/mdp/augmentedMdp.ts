import type { Env, Info, ResetResult, StepResult } from '../envs/env.js';
import { resetSeed } from '../envs/resetSeed.js';
import { EnvironmentError, requireFinite, requireInteger, requireLength, requireNumber } from '../errors.js';
import { requireOptions } from '../options.js';
import { Rng } from '../rng/rng.js';
import { ActionScale } from '../spaces/actionScale.js';
import { Box } from '../spaces/box.js';
import {
  asCount,
  type Commit,
  lengthOf,
  type MaybePromise,
  prefixed,
  readEntries,
  type StateDict,
  type Stateful,
  stateArray,
  substate,
} from '../state.js';
import { augmentedDiscounts, type DiscountMode } from './discounts.js';

export interface AugmentedMdpOptions {
  /** Diffusion steps K >= 1 of one environment step. */
  diffusionSteps: number;
  /** Standard deviation of the prior, default 2.5. */
  priorStd?: number;
  /** Map from an entry of the chain's end to [-1, 1], default tanh; see {@link Squash}. */
  squash?: (x: number) => number;
  /** Discount of an environment step in [0, 1], default 0.99. */
  gamma?: number;
  /** How `gamma` is spread over the diffusion steps, default `'phase'`. */
  discountMode?: DiscountMode;
}

/**
 * The diffusion chain of a policy as part of the environment (Sanokowski et al. 2025): an action is one transition of
 * the chain, and K of them make one step of the wrapped environment.
 *
 * Observations are `[observation | latent | k]` with k = K ... 1 diffusion steps to go; a new phase starts with a latent
 * from the prior $N(0, \sigma_0^2 I)$. While k > 1 a step only replaces the latent, with reward 0; at k = 1 the latent handed
 * in is squashed, scaled to the action space and executed. `info.discount` is the discount of the transition.
 *
 * Any agent can act on it, at the price of K calls for each environment step; agents of this library do the same
 * inside `act` for all environments at once, with identical records.
 *
 * @example
 * ```ts
 * const mdp = new AugmentedMdp(new Pendulum(), { diffusionSteps: 8 });
 * await mdp.reset({ seed: 0 });
 * const { reward, info } = await mdp.step(Float32Array.of(0.3)); // 0, { discount: 1 }
 * ```
 */
export class AugmentedMdp implements Env {
  readonly id?: string;
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  /** Present if the wrapped environment can be saved. */
  readonly state?: () => Promise<StateDict>;
  readonly prepare?: (state: StateDict) => Promise<Commit>;
  readonly memory: Stateful | undefined;
  private readonly diffusionSteps: number;
  private readonly priorStd: number;
  private readonly squash: (x: number) => number;
  private readonly discounts: number[];
  private readonly scale: ActionScale;
  private rng = Rng.fromSeed(0);
  private observation?: Float32Array;
  private toGo = 0;

  /** @throws ArgumentError for diffusion steps below 1, a prior that is not positive or an unbounded action space */
  constructor(
    private readonly env: Env,
    given: AugmentedMdpOptions,
  ) {
    const options = requireOptions('AugmentedMdp', given, {
      diffusionSteps: true,
      priorStd: true,
      squash: true,
      gamma: true,
      discountMode: true,
    });
    this.diffusionSteps = requireInteger('AugmentedMdp', 'diffusionSteps', options.diffusionSteps, { min: 1 });
    this.priorStd = requireNumber('AugmentedMdp', 'priorStd', options.priorStd ?? 2.5, { above: 0 });
    this.squash = options.squash ?? Math.tanh;
    const { gamma = 0.99, discountMode: mode } = options;
    this.discounts = augmentedDiscounts({ diffusionSteps: this.diffusionSteps, gamma, mode }).gammas;
    this.scale = new ActionScale(env.actionSpace);
    this.id = env.id && `${env.id} in ${this.diffusionSteps} diffusion steps`;
    this.actionSpace = Box.uniform(env.actionSpace.size);
    this.observationSpace = new Box(
      [...env.observationSpace.low, ...this.actionSpace.low, 1],
      [...env.observationSpace.high, ...this.actionSpace.high, this.diffusionSteps],
    );
    this.memory = env.memory;
    const [save, prepare] = [env.state?.bind(env), env.prepare?.bind(env)];
    if (save && prepare) {
      this.state = () => this.saveWith(save);
      this.prepare = (state) => this.prepareWith(prepare, state);
    }
  }

  async reset(options: { seed?: number } = {}): Promise<ResetResult> {
    const seed = resetSeed('AugmentedMdp', options);
    const { observation, info } = await this.env.reset(options);
    if (seed !== undefined) this.rng = Rng.fromSeed(seed).split('prior');
    return { observation: this.startPhase(observation), info };
  }

  /** @throws EnvironmentError before the first reset; ShapeError or NonFiniteError for a latent that does not fit */
  async step(latent: Float32Array): Promise<StepResult> {
    if (!this.observation) throw new EnvironmentError('AugmentedMdp.step: call reset first; no episode is running.');
    requireLength('AugmentedMdp.step', 'latent', latent, this.actionSpace.size, 'one per action dimension');
    requireFinite('AugmentedMdp.step', 'latent', latent);
    const info: Info = { discount: this.discounts[this.diffusionSteps - this.toGo] };
    if (this.toGo > 1) {
      this.toGo--;
      return { observation: this.augmented(latent), reward: 0, terminated: false, truncated: false, info };
    }
    const result = await this.env.step(this.scale.toSpace(latent.map(this.squash)));
    const observation = this.startPhase(result.observation);
    return { ...result, observation, info: { ...result.info, ...info } };
  }

  close(): MaybePromise<void> {
    return this.env.close?.();
  }

  private startPhase(observation: Float32Array): Float32Array {
    this.observation = observation;
    this.toGo = this.diffusionSteps;
    return this.augmented(this.rng.normals(this.actionSpace.size, 0, this.priorStd));
  }

  private augmented(latent: Float32Array): Float32Array {
    return Float32Array.from([...(this.observation as Float32Array), ...latent, this.toGo]);
  }

  private async saveWith(save: () => MaybePromise<StateDict>): Promise<StateDict> {
    return {
      ...prefixed('env', await save()),
      ...prefixed('rng', this.rng.state()),
      observation: stateArray(Float32Array.from(this.observation ?? [])),
      toGo: stateArray(this.toGo),
    };
  }

  private async prepareWith(prepare: NonNullable<Env['prepare']>, state: StateDict): Promise<Commit> {
    const hasStarted = lengthOf(state, 'observation') > 0;
    const size = hasStarted ? this.env.observationSpace.size : 0;
    const entries = readEntries(state, { observation: size, toGo: 1 }, ['env', 'rng']);
    const toGo = asCount(entries.toGo, 'toGo');
    const observation = hasStarted ? Float32Array.from(entries.observation) : undefined;
    const rng = this.rng.prepare(substate(state, 'rng'));
    const env = await prepare(substate(state, 'env'));
    return async () => {
      await env();
      rng();
      this.observation = observation;
      this.toGo = toGo;
    };
  }
}
