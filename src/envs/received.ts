import { ArgumentError, EnvironmentError, isTypedArray, NonFiniteError, show } from '../errors.js';
import type { Box } from '../spaces/box.js';
import type { Env, Info, ResetResult, StepResult } from './env.js';
import type { VectorEnv } from './vectorEnv.js';

// What comes from an environment is somebody else's code and memory: here it is checked once and copied.

/** @throws ArgumentError unless `env` has the methods and the spaces of an environment */
export function requireEnv(where: string, env: unknown): asserts env is Env | VectorEnv {
  const { reset, step, observationSpace, actionSpace } = Object(env) as Partial<Env>;
  if (typeof reset !== 'function' || typeof step !== 'function') {
    throw new ArgumentError(
      `${where}: env must be an environment with reset({ seed }) and step(action), got ${show(env)}.`,
    );
  }
  requireBox(where, 'env.observationSpace', observationSpace);
  requireBox(where, 'env.actionSpace', actionSpace);
}

/** @throws ArgumentError unless `space` is a `Box` */
export function requireBox(where: string, name: string, space: unknown): asserts space is Box {
  const { kind, low, high } = Object(space) as Partial<Box>;
  if (kind === 'box' && low instanceof Float32Array && high instanceof Float32Array) return;
  throw new ArgumentError(
    `${where}: ${name} must be a Box, as observations and actions are vectors of numbers here, got ${show(space)}. Make one with new Box(low, high).`,
  );
}

/** An observation as a fresh `[size]`. @throws EnvironmentError for anything but `size` finite numbers */
export function receiveObservation(result: ResetResult, { observationSpace }: Pick<Env, 'observationSpace'>) {
  requireResult(result, '{ observation, info }');
  return receiveNumbers('observation', result.observation, observationSpace.size);
}

/**
 * A step, checked, with a fresh observation.
 *
 * @throws EnvironmentError naming what breaks the contract of `Env`
 * @throws NonFiniteError for a reward that float32 cannot hold
 */
export function receiveStep(result: StepResult, env: Pick<Env, 'observationSpace'>): StepResult {
  requireResult(result, '{ observation, reward, terminated, truncated, info }');
  const { reward, info } = result;
  const observation = receiveObservation(result, env);
  if (!Number.isFinite(reward)) throw new EnvironmentError(`reward must be a finite number, got ${show(reward)}`);
  if (!Number.isFinite(Math.fround(reward))) {
    throw new NonFiniteError(`reward ${reward} is beyond float32; scale rewards, for example with NormaliseReward`);
  }
  const [terminated, truncated] = [flag(result, 'terminated'), flag(result, 'truncated')];
  return { observation, reward, terminated, truncated, info: receiveInfo(info) };
}

/** `info`, or an empty one. */
export function receiveInfo(info: unknown): Info {
  return info !== null && typeof info === 'object' ? (info as Info) : {};
}

/** `size` finite numbers as a fresh float32 array. @throws EnvironmentError */
export function receiveNumbers(name: string, numbers: unknown, size: number): Float32Array {
  const isList = Array.isArray(numbers) || isTypedArray(numbers);
  const { length } = Object(numbers) as ArrayLike<unknown>;
  if (!isList || length !== size) {
    throw new EnvironmentError(`${name} must have ${size} numbers, got ${isList ? length : show(numbers)}`);
  }
  const list = numbers as ArrayLike<unknown>;
  const copy = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const value = list[i];
    copy[i] = typeof value === 'number' ? value : Number.NaN;
    if (!Number.isFinite(copy[i])) throw new EnvironmentError(`${name}[${i}] must be finite, got ${show(value)}`);
  }
  return copy;
}

/** `size` flags as a fresh array of 0 and 1. @throws EnvironmentError */
export function receiveFlags(name: string, flags: unknown, size: number): Uint8Array {
  const numbers = Array.isArray(flags)
    ? flags.map((value) => (value === true ? 1 : value === false ? 0 : value))
    : flags;
  const copy = receiveNumbers(name, numbers, size);
  const wrong = copy.findIndex((value) => value !== 0 && value !== 1);
  if (wrong >= 0) throw new EnvironmentError(`${name}[${wrong}] must be 0 or 1, got ${copy[wrong]}`);
  return Uint8Array.from(copy);
}

function requireResult(result: unknown, wanted: string): void {
  if (result !== null && typeof result === 'object' && !Array.isArray(result)) return;
  throw new EnvironmentError(`the result must be ${wanted}, got ${show(result)}`);
}

function flag(result: StepResult, name: 'terminated' | 'truncated'): boolean {
  const value: unknown = result[name];
  if (typeof value === 'boolean') return value;
  if (value === 0 || value === 1) return value === 1;
  const advice =
    'done' in result
      ? '; instead of done say terminated where the task itself ended and truncated where a time limit cut the episode'
      : '';
  throw new EnvironmentError(`${name} must be a boolean, got ${show(value)}${advice}`);
}
