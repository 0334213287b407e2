import { stepBatch } from '../envs/batch.js';
import type { Env, Info } from '../envs/env.js';
import { hasState } from '../envs/hasState.js';
import type { VectorEnv } from '../envs/vectorEnv.js';
import { ArgumentError, EnvironmentError } from '../errors.js';
import { allOrNone } from '../settled.js';
import { type Commit, type MaybePromise, type StateDict, type Stateful, together } from '../state.js';
import type { Hello, Started, Stepped, Welcome } from './messages.js';

/** What can be served: a function that makes an environment for every connection, or one environment for one at a time. */
export type Source = Env | VectorEnv | (() => MaybePromise<Env>);

/** The environments of one connection. */
export interface Served {
  readonly welcome: Welcome;
  reset(seeds: (number | undefined)[]): Promise<Started>;
  step(actions: Float32Array): Promise<Stepped>;
  state(): Promise<StateDict>;
  prepare(state: StateDict): Promise<Commit>;
  /** The connection has ended. */
  release(): Promise<void>;
}

/** Hands out environments to connections. */
export class Servant {
  private isTaken = false;

  /** @param numEnvs how many a connection can have, for a function; else what the source has */
  constructor(
    private readonly source: Source,
    private readonly numEnvs: number,
  ) {}

  /** @throws EnvironmentError if the environment is taken, or more are wanted than there are */
  async open({ numEnvs, autoreset }: Hello): Promise<Served> {
    const { source } = this;
    const available = typeof source === 'function' ? this.numEnvs : 'numEnvs' in source ? source.numEnvs : 1;
    const wanted = numEnvs ?? available;
    if (wanted > available)
      throw new EnvironmentError(`${wanted} environments were asked for, ${available} are served`);
    if (!autoreset && wanted > 1) throw new EnvironmentError('several environments need a reset in the same step');
    if (typeof source === 'function') {
      const envs = Array.from({ length: wanted }, async () => source());
      return allOrNone(envs, (made) => new ServedEnvs(made, autoreset, closeAll));
    }
    if (this.isTaken) throw new EnvironmentError('the environment is in use by another connection');
    if (wanted !== available) {
      throw new EnvironmentError(`${available} environments step together, ${wanted} were asked for`);
    }
    this.isTaken = true;
    const release = async () => {
      this.isTaken = false;
    };
    if (!('numEnvs' in source)) return new ServedEnvs([source], autoreset, release);
    if (autoreset) return new ServedVector(source, release);
    this.isTaken = false;
    throw new EnvironmentError('a vector environment can be served to a vector environment only');
  }
}

/** @throws ArgumentError unless `source` can be served */
export function requireSource(where: string, source: Source): Source {
  if (typeof source === 'function' || typeof source?.step === 'function') return source;
  throw new ArgumentError(`${where}: the first argument must be an environment or a function that makes one.`);
}

async function closeAll(envs: readonly Env[]): Promise<void> {
  await Promise.allSettled(envs.map(async (env) => env.close?.()));
}

/** Environments one by one; rewards keep all their digits. */
class ServedEnvs implements Served {
  readonly welcome: Welcome;

  constructor(
    private readonly envs: readonly Env[],
    private readonly autoreset: boolean,
    private readonly end: (envs: readonly Env[]) => Promise<void>,
  ) {
    this.welcome = describe(envs[0]!, envs.length, envs.every(hasState));
  }

  async reset(seeds: (number | undefined)[]): Promise<Started> {
    const results = await Promise.all(
      this.envs.map((env, i) => env.reset(seeds[i] === undefined ? undefined : { seed: seeds[i] })),
    );
    return {
      observations: rows(results.map(({ observation }) => observation)),
      infos: results.map(({ info }) => info),
    };
  }

  async step(actions: Float32Array): Promise<Stepped> {
    if (this.autoreset) return this.stepAll(actions);
    const { observation, reward, terminated, truncated, info } = await this.envs[0]!.step(actions);
    const flags = { terminated: Uint8Array.of(Number(terminated)), truncated: Uint8Array.of(Number(truncated)) };
    const observations = { nextObservations: observation, observations: observation };
    return { rewards: Float64Array.of(reward), ...flags, ...observations, infos: [info] };
  }

  async state(): Promise<StateDict> {
    return this.parts().state();
  }

  async prepare(state: StateDict): Promise<Commit> {
    return this.parts().prepare(state);
  }

  async release(): Promise<void> {
    await this.end(this.envs);
  }

  private parts(): Stateful {
    return together(Object.fromEntries(this.envs.map((env, i) => [`env${i}`, env as Stateful])));
  }

  private async stepAll(actions: Float32Array): Promise<Stepped> {
    const { numEnvs, observationSpace } = this.welcome;
    const arrays = {
      observations: new Float32Array(numEnvs * observationSpace.size),
      nextObservations: new Float32Array(numEnvs * observationSpace.size),
      rewards: new Float32Array(numEnvs),
      terminated: new Uint8Array(numEnvs),
      truncated: new Uint8Array(numEnvs),
    };
    const infos: Info[] = await stepBatch(this.envs, actions, arrays, 0);
    return { ...arrays, rewards: Float64Array.from(arrays.rewards), infos };
  }
}

/** A vector environment as it is; the first seed is the seed of all. */
class ServedVector implements Served {
  readonly welcome: Welcome;

  constructor(
    private readonly env: VectorEnv,
    readonly release: () => Promise<void>,
  ) {
    this.welcome = describe(env, env.numEnvs, hasState(env));
  }

  async reset([seed]: (number | undefined)[]): Promise<Started> {
    return this.env.reset(seed === undefined ? undefined : { seed });
  }

  async step(actions: Float32Array): Promise<Stepped> {
    const step = await this.env.step(actions);
    return { ...step, rewards: Float64Array.from(step.rewards) };
  }

  async state(): Promise<StateDict> {
    return this.env.state!();
  }

  async prepare(state: StateDict): Promise<Commit> {
    return this.env.prepare!(state);
  }
}

function describe(env: Env | VectorEnv, numEnvs: number, canSave: boolean): Welcome {
  const { id, observationSpace, actionSpace } = env;
  return { id, numEnvs, observationSpace, actionSpace, observationType: 'float32', hasState: canSave };
}

function rows(observations: readonly Float32Array[]): Float32Array {
  const [first] = observations;
  const all = new Float32Array(observations.length * first!.length);
  observations.forEach((observation, i) => all.set(observation, i * first!.length));
  return all;
}
