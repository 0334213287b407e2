import { EnvironmentError, requireObject, show } from '../errors.js';
import { requireOptions } from '../options.js';
import { Rng } from '../rng/rng.js';
import type { Env, ResetResult, StepResult } from './env.js';

/** Options of {@link checkEnv}. */
export interface CheckEnvOptions {
  /** Seed of the episodes and of the random actions; default 0. */
  seed?: number;
  /** Steps of each of the runs that are compared; default 100. */
  steps?: number;
  /** Whether to close the environment at the end, twice, because that must be harmless; default false. */
  close?: boolean;
}

/**
 * Looks for violations of the {@link Env} contract: spaces, types, sizes and ranges of what comes back, arrays that
 * are reused, actions that are changed, seeds that do not fix what follows, states that do not bring it back.
 *
 * The environment is reset several times, and left open unless `close` is given.
 *
 * @returns advice on what is allowed but hampers learning
 * @throws EnvironmentError that lists all violations found
 *
 * @example
 * ```ts
 * const advice = await checkEnv(new MyEnv());
 * ```
 */
export async function checkEnv(env: Env, options: CheckEnvOptions = {}): Promise<string[]> {
  requireObject('checkEnv', 'env', env);
  const {
    seed = 0,
    steps = 100,
    close = false,
  } = requireOptions('checkEnv', options, { seed: true, steps: true, close: true });
  const faults = new Faults();
  checkSpaces(env, faults);
  faults.throwAny(env);
  const first = await run(env, faults, seed, steps);
  const second = await run(env, faults, seed, steps);
  if (!isSame(first, second)) faults.add('two runs with the same seed and the same actions differ');
  await checkUnseeded(env, faults);
  await checkState(env, faults, seed, steps);
  if (close) await checkClose(env, faults);
  faults.throwAny(env);
  return advice(env);
}

/** Violations, each once. */
class Faults {
  private readonly found = new Set<string>();

  add(fault: string): void {
    this.found.add(fault);
  }

  throwAny(env: Env): void {
    if (!this.found.size) return;
    const list = [...this.found].map((fault) => `\n- ${fault}`).join('');
    throw new EnvironmentError(`checkEnv: ${env.id ?? env.constructor.name} breaks the contract of Env:${list}`);
  }
}

function checkSpaces(env: Env, faults: Faults): void {
  for (const name of ['observationSpace', 'actionSpace'] as const) {
    if (env[name]?.kind !== 'box') faults.add(`${name} must be a Box, got ${show(env[name])}`);
  }
  for (const name of ['reset', 'step'] as const) {
    if (typeof env[name] !== 'function') faults.add(`${name} must be a function, got ${show(env[name])}`);
  }
  if (!env.state !== !env.prepare) faults.add('state and prepare must both be there or both be missing');
  const { low, high } = env.actionSpace ?? {};
  const empty = low?.findIndex((bound, i) => bound === high?.[i]) ?? -1;
  if (empty >= 0) faults.add(`action ${empty} has equal bounds, so nothing can be chosen`);
}

/** One run with random actions, over several episodes if they end; returns all numbers that came back. */
async function run(env: Env, faults: Faults, seed: number, steps: number): Promise<unknown[]> {
  const rng = Rng.fromSeed(seed);
  const record: unknown[] = [];
  let last = await checkedReset(env, faults, { seed });
  record.push([...last.observation]);
  for (let t = 0; t < steps; t++) {
    const kept = last.observation;
    const copy = kept.slice();
    const result = await checkedStep(env, faults, rng);
    if (!isSame(kept, copy)) faults.add('an observation changed after it was returned; return a fresh array each time');
    record.push([...result.observation], result.reward, result.terminated, result.truncated);
    last = result.terminated || result.truncated ? await checkedReset(env, faults) : result;
  }
  return record;
}

async function checkedReset(env: Env, faults: Faults, options?: { seed?: number }): Promise<ResetResult> {
  const result = await env.reset(options);
  checkResult('reset', env, faults, result);
  faults.throwAny(env);
  return result;
}

async function checkedStep(env: Env, faults: Faults, rng: Rng): Promise<StepResult> {
  const action = env.actionSpace.sample(rng);
  const given = action.slice();
  const result = await env.step(action);
  if (!isSame(action, given)) faults.add('step changed the action that it was given');
  checkResult('step', env, faults, result);
  const { reward, terminated, truncated } = result ?? {};
  if (!Number.isFinite(reward)) faults.add(`step: reward must be a finite number, got ${show(reward)}`);
  for (const [name, value] of Object.entries({ terminated, truncated })) {
    if (typeof value !== 'boolean') faults.add(`step: ${name} must be a boolean, got ${show(value)}`);
  }
  faults.throwAny(env);
  return result;
}

function checkResult(method: string, env: Env, faults: Faults, result: ResetResult): void {
  const { observation, info } = result ?? {};
  if (!(observation instanceof Float32Array)) {
    faults.add(`${method}: observation must be a Float32Array, got ${show(observation)}`);
  } else if (observation.length !== env.observationSpace.size) {
    faults.add(`${method}: observation must have ${env.observationSpace.size} numbers, got ${observation.length}`);
  } else if (!env.observationSpace.contains(observation)) {
    const { low, high } = env.observationSpace;
    const i = observation.findIndex((value, j) => !(low[j]! <= value && value <= high[j]!));
    faults.add(`${method}: observation[${i}] = ${observation[i]} is outside of [${low[i]}, ${high[i]}]`);
  }
  if (info === null || typeof info !== 'object') faults.add(`${method}: info must be an object, got ${show(info)}`);
}

/** Without a seed the random stream goes on, so it must not begin again each time. */
async function checkUnseeded(env: Env, faults: Faults): Promise<void> {
  const starts: Float32Array[] = [];
  for (const options of [{ seed: 1 }, { seed: 2 }, undefined, undefined]) {
    starts.push((await env.reset(options)).observation);
  }
  const [one, two, ...unseeded] = starts;
  if (!isSame(one, two) && unseeded.every((start) => isSame(start, two))) {
    faults.add('reset without a seed begins the same episode again and again; let the random stream go on');
  }
}

/** What follows from a state that was put back must be what followed when it was saved. */
async function checkState(env: Env, faults: Faults, seed: number, steps: number): Promise<void> {
  if (!env.state || !env.prepare) return;
  const rng = Rng.fromSeed(seed);
  await env.reset({ seed });
  for (let t = 0; t < Math.min(5, steps); t++) {
    const { terminated, truncated } = await env.step(env.actionSpace.sample(rng));
    if (terminated || truncated) await env.reset();
  }
  const saved = await env.state();
  const follow = async () => {
    const actions = Rng.fromSeed(seed + 1);
    const record: unknown[] = [];
    for (let t = 0; t < steps; t++) {
      const { observation, reward, terminated, truncated } = await env.step(env.actionSpace.sample(actions));
      record.push([...observation], reward, terminated, truncated);
      if (terminated || truncated) record.push([...(await env.reset()).observation]);
    }
    return record;
  };
  const followed = await follow();
  await (await env.prepare(saved))();
  if (!isSame(followed, await follow())) faults.add('a state that was put back leads elsewhere than when it was saved');
}

async function checkClose(env: Env, faults: Faults): Promise<void> {
  for (const time of ['close', 'a second close']) {
    try {
      await env.close?.();
    } catch (error) {
      faults.add(`${time} threw ${show(error instanceof Error ? error.message : error)}`);
    }
  }
}

function advice(env: Env): string[] {
  const { actionSpace } = env;
  const list: string[] = [];
  if (!actionSpace.isBounded) list.push('actions are unbounded; agents with bounded actions need bounds');
  else if (actionSpace.low.some((low, i) => low !== -1 || actionSpace.high[i] !== 1)) {
    list.push('actions are not in [-1, 1]; agents rescale them, other code may want RescaleAction');
  }
  if (!env.id) list.push('there is no id; messages and plots cannot name the environment');
  if (!env.state) list.push('there is no state; a resumed run starts a new episode');
  return list;
}

function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  return (
    keys.length === others.length &&
    keys.every((key) => isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  );
}
