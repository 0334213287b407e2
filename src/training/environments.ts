import type { Agent } from '../agents/agent.js';
import type { Env, ResetResult } from '../envs/env.js';
import type { VectorEnv, VectorReset, VectorStep } from '../envs/vectorEnv.js';
import { ArgumentError, EnvironmentError, ShapeError, show } from '../errors.js';
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
}

/** @param where the public name the user called */
export function environments(where: string, env: Env | VectorEnv): Environments {
  return isVectorEnv(env) ? new Many(where, env) : new Single(where, env);
}

export function isVectorEnv(env: Env | VectorEnv): env is VectorEnv {
  return 'numEnvs' in env;
}

/** @throws ShapeError, ArgumentError unless `agent` was made for spaces like those of `env` */
export function requireMatch(where: string, agent: Agent, env: Env | VectorEnv): void {
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
    return this.observation('reset', at, result);
  }

  async step(at: string, actions: Float32Array): Promise<VectorStep> {
    const result = await this.call('step', at, () => this.env.step(actions));
    const nextObservations = this.observation('step', at, result);
    const { reward, terminated, truncated, info } = result;
    if (!Number.isFinite(reward)) this.broke('step', at, `reward must be a finite number, got ${show(reward)}`);
    const ended = terminated || truncated;
    return {
      observations: ended ? await this.reset(at) : nextObservations,
      nextObservations,
      rewards: Float32Array.of(reward),
      terminated: Uint8Array.of(Number(terminated)),
      truncated: Uint8Array.of(Number(truncated)),
      infos: [info],
    };
  }

  state(): MaybePromise<StateDict> | undefined {
    return this.env.state?.();
  }

  private call<T>(method: string, at: string, run: () => MaybePromise<T>): Promise<T> {
    return guarded(this.where, this.env, method, at, run);
  }

  private observation(method: string, at: string, result: ResetResult): Float32Array {
    const fault = faultOf('observation', result?.observation, this.env.observationSpace.size);
    return fault ? this.broke(method, at, fault) : result.observation;
  }

  private broke(method: string, at: string, fault: string): never {
    throw brokenContract(this.where, this.env, method, at, fault);
  }
}

class Many implements Environments {
  readonly numEnvs: number;

  constructor(
    private readonly where: string,
    readonly env: VectorEnv,
  ) {
    this.numEnvs = env.numEnvs;
  }

  async reset(at: string, seed?: number): Promise<Float32Array> {
    const options = seed === undefined ? undefined : { seed };
    const result: VectorReset = await guarded(this.where, this.env, 'reset', at, () => this.env.reset(options));
    this.check('reset', at, { observations: result?.observations });
    return result.observations;
  }

  async step(at: string, actions: Float32Array): Promise<VectorStep> {
    const result = await guarded(this.where, this.env, 'step', at, () => this.env.step(actions));
    const { observations, nextObservations, rewards, terminated, truncated } = result ?? {};
    this.check('step', at, { observations, nextObservations, rewards, terminated, truncated });
    return result;
  }

  state(): MaybePromise<StateDict> | undefined {
    return this.env.state?.();
  }

  private check(method: string, at: string, arrays: Record<string, ArrayLike<number> | undefined>): void {
    for (const [name, array] of Object.entries(arrays)) {
      const width = /observations/i.test(name) ? this.env.observationSpace.size : 1;
      const fault = faultOf(name, array, this.numEnvs * width);
      if (fault) throw brokenContract(this.where, this.env, method, at, fault);
    }
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

function brokenContract(where: string, env: Env | VectorEnv, method: string, at: string, fault: string) {
  return new EnvironmentError(
    `${where}: ${nameOf(env)}.${method} broke its contract ${at}: ${fault}. Look for the fault with checkEnv.`,
  );
}

/** What is wrong with `array`, if anything. */
function faultOf(name: string, array: ArrayLike<number> | undefined, size: number): string | undefined {
  if (array?.length !== size) return `${name} must have ${size} numbers, got ${array?.length ?? show(array)}`;
  for (let i = 0; i < size; i++) {
    if (!Number.isFinite(array[i])) return `${name}[${i}] must be finite, got ${array[i]}`;
  }
}

function nameOf(env: Env | VectorEnv): string {
  return env.id ?? env.constructor.name;
}
