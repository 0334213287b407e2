import type { Agent } from '../agents/agent.js';
import type { Env } from '../envs/env.js';
import { hasState } from '../envs/hasState.js';
import {
  receiveFlags,
  receiveInfo,
  receiveNumbers,
  receiveObservation,
  receiveStep,
  requireEnv,
} from '../envs/received.js';
import type { VectorEnv, VectorReset, VectorStep } from '../envs/vectorEnv.js';
import { ArgumentError, EnvironmentError, NonFiniteError, requireInteger, ShapeError, show } from '../errors.js';
import type { MaybePromise, StateDict } from '../state.js';

/**
 * One or many environments behind one face. Whatever an environment throws, and whatever it returns that breaks its
 * contract, becomes an {@link EnvironmentError} that names the environment, the call and the cause.
 */
export interface Environments {
  readonly env: Env | VectorEnv;
  readonly numEnvs: number;
  /** `at` says in messages when it happened. */
  reset(at: string, seed?: number): Promise<Float32Array>;
  step(at: string, actions: Float32Array): Promise<VectorStep>;
  state(): MaybePromise<StateDict> | undefined;
  /** What outlives episodes, where there is no state. */
  memory(): MaybePromise<StateDict>;
}

/** @param where the public name the user called */
export function environments(where: string, env: Env | VectorEnv): Environments {
  requireEnv(where, env);
  return isVectorEnv(env) ? new Many(where, env) : new Single(where, env);
}

export function isVectorEnv(env: Env | VectorEnv): env is VectorEnv {
  return 'numEnvs' in env;
}

/** @throws ShapeError, ArgumentError unless `agent` was made for spaces like those of `env` */
export function requireMatch(where: string, agent: Agent, env: Env | VectorEnv): void {
  if (typeof agent?.act !== 'function' || typeof agent.observe !== 'function') {
    throw new ArgumentError(
      `${where}: agent must be an agent, such as await DimeAgent.create({ env }), got ${show(agent)}.`,
    );
  }
  requireEnv(where, env);
  const pairs = [
    ['observation', agent.observationSpace, env.observationSpace],
    ['action', agent.actionSpace, env.actionSpace],
  ] as const;
  for (const [kind, ours, theirs] of pairs) {
    if (ours.size === theirs.size) continue;
    throw new ShapeError(
      `${where}: ${agent.name} has ${kind}s of size ${ours.size}, ${nameOf(env)} of size ${theirs.size}.`,
    );
  }
  const differing = agent.actionSpace.low.findIndex(
    (low, i) => low !== env.actionSpace.low[i] || agent.actionSpace.high[i] !== env.actionSpace.high[i],
  );
  if (differing < 0) return;
  const range = ({ low, high }: Agent['actionSpace']) => `[${low[differing]}, ${high[differing]}]`;
  throw new ArgumentError(
    `${where}: action ${differing} of ${agent.name} is in ${range(agent.actionSpace)}, of ${nameOf(env)} in ${range(env.actionSpace)}. Make the agent for this environment.`,
  );
}

class Single implements Environments {
  readonly numEnvs = 1;

  constructor(
    private readonly where: string,
    readonly env: Env,
  ) {}

  async reset(at: string, seed?: number): Promise<Float32Array> {
    const result = await this.call('reset', at, () => this.env.reset(seed === undefined ? undefined : { seed }));
    return received(this.where, this.env, 'reset', at, () => receiveObservation(result, this.env));
  }

  async step(at: string, actions: Float32Array): Promise<VectorStep> {
    const result = await this.call('step', at, () => this.env.step(actions.slice()));
    const step = received(this.where, this.env, 'step', at, () => receiveStep(result, this.env));
    const { observation, reward, terminated, truncated, info } = step;
    return {
      observations: terminated || truncated ? await this.reset(at) : observation,
      nextObservations: observation,
      rewards: Float32Array.of(reward),
      terminated: Uint8Array.of(Number(terminated)),
      truncated: Uint8Array.of(Number(truncated)),
      infos: [info],
    };
  }

  state(): MaybePromise<StateDict> | undefined {
    return this.env.state?.();
  }

  memory(): MaybePromise<StateDict> {
    return memoryOf(this.env);
  }

  private call<T>(method: string, at: string, run: () => MaybePromise<T>): Promise<T> {
    return guarded(this.where, this.env, method, at, run);
  }
}

class Many implements Environments {
  readonly numEnvs: number;

  constructor(
    private readonly where: string,
    readonly env: VectorEnv,
  ) {
    this.numEnvs = requireInteger(where, 'env.numEnvs', env.numEnvs, { min: 1 });
  }

  async reset(at: string, seed?: number): Promise<Float32Array> {
    const options = seed === undefined ? undefined : { seed };
    const result: VectorReset = await guarded(this.where, this.env, 'reset', at, () => this.env.reset(options));
    return received(this.where, this.env, 'reset', at, () => this.observations('observations', result?.observations));
  }

  async step(at: string, actions: Float32Array): Promise<VectorStep> {
    const result = await guarded(this.where, this.env, 'step', at, () => this.env.step(actions.slice()));
    return received(this.where, this.env, 'step', at, () => this.taken(Object(result)));
  }

  state(): MaybePromise<StateDict> | undefined {
    return this.env.state?.();
  }

  memory(): MaybePromise<StateDict> {
    return memoryOf(this.env);
  }

  private taken({
    observations,
    nextObservations,
    rewards,
    terminated,
    truncated,
    infos,
  }: Partial<VectorStep>): VectorStep {
    return {
      observations: this.observations('observations', observations),
      nextObservations: this.observations('nextObservations', nextObservations),
      rewards: receiveNumbers('rewards', rewards, this.numEnvs),
      terminated: receiveFlags('terminated', terminated, this.numEnvs),
      truncated: receiveFlags('truncated', truncated, this.numEnvs),
      infos: Array.from({ length: this.numEnvs }, (_, i) => receiveInfo(infos?.[i])),
    };
  }

  private observations(name: string, rows: unknown): Float32Array {
    return receiveNumbers(name, rows, this.numEnvs * this.env.observationSpace.size);
  }
}

async function guarded<T>(
  where: string,
  env: Env | VectorEnv,
  method: string,
  at: string,
  run: () => MaybePromise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : show(cause);
    throw new EnvironmentError(`${where}: ${nameOf(env)}.${method} threw ${at}: ${message}`, { cause });
  }
}

/** What `take` makes of a result; its complaints say whose it was. */
function received<T>(where: string, env: Env | VectorEnv, method: string, at: string, take: () => T): T {
  try {
    return take();
  } catch (error) {
    if (error instanceof NonFiniteError) {
      throw new NonFiniteError(`${where}: ${nameOf(env)}.${method} ${at}: ${error.message}.`);
    }
    if (!(error instanceof EnvironmentError)) throw error;
    throw new EnvironmentError(
      `${where}: ${nameOf(env)}.${method} broke its contract ${at}: ${error.message}. Look for the fault with checkEnv.`,
    );
  }
}

function memoryOf(env: Env | VectorEnv): MaybePromise<StateDict> {
  return hasState(env) ? {} : (env.memory?.state() ?? {});
}

function nameOf(env: Env | VectorEnv): string {
  return env.id || env.constructor?.name || 'the environment';
}
