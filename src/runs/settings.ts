import type { JsonObject } from '../agents/optionsJson.js';
import type { PresetName } from '../agents/presets.js';
import { ArgumentError, requireInteger, requireNumber, requireOneOf, show } from '../errors.js';
import { nearest } from '../nearest.js';
import { type WrapperSetting, wrapperNames } from './wrappers.js';

/** A wrapper by name, or `{ name: value }` for one that takes a value. */
export type { WrapperSetting } from './wrappers.js';

/** Everything that decides what a run computes, as JSON. */
export interface RunSettings {
  /** One of the library's agents, or `path/to/module.ts#function` that gets `{ env, seed, ...options }`. */
  agent: string;
  /** A task's id, `path/to/module.ts#function` that gets `envOptions`, or an address (`python:ID`, `tcp://host:port`). */
  env: string;
  /** What the environment is made with, default `{}`. */
  envOptions?: JsonObject;
  /** Around the environment, the innermost first; default none. */
  wrappers?: WrapperSetting[];
  /** Environments side by side >= 1, default the preset's. */
  envs?: number;
  /** Of agent, environment and training, default 0. */
  seed?: number;
  /** Environment steps of the whole run, all environments together, default 100,000. */
  steps?: number;
  /** Where options that are not given come from, default `'small'`. */
  preset?: PresetName;
  /** The agent's options, over the preset's. */
  options?: JsonObject;
  /** Environment steps between two evaluations, default a twentieth of all. */
  evaluationEvery?: number;
  /** Of each evaluation, default 10. */
  evaluationEpisodes?: number;
  /** Of the first start of each evaluation, default 1000. */
  evaluationSeed?: number;
  /** Environment steps between two checkpoints, default as `evaluationEvery`. */
  checkpointEvery?: number;
  /** Environment steps between two rows of the logs, default a two-hundredth of all. */
  logEvery?: number;
  /** Environment steps between two films (MuJoCo tasks), default none. */
  filmEvery?: number;
  /** Stop once an evaluation reaches this return. */
  stopAtReturn?: number;
  /** Stop after so many evaluations without a better one. */
  stopWithoutImprovement?: number;
  /** Threads of the engine, 0 for all cores; default 0. Fixed, because the number decides the last digits. */
  threads?: number;
}

/** Settings with their defaults; of `options` only what was given. */
export type CompleteSettings = Required<
  Omit<RunSettings, 'stopAtReturn' | 'stopWithoutImprovement' | 'filmEvery' | 'envs'>
> &
  Pick<RunSettings, 'stopAtReturn' | 'stopWithoutImprovement' | 'filmEvery' | 'envs'>;

/** @throws ArgumentError naming the setting, what was given and what is allowed */
export function completeSettings(given: RunSettings, where = 'RunSettings'): CompleteSettings {
  for (const name of Object.keys(given)) {
    if (!settingNames.includes(name)) {
      throw new ArgumentError(
        `${where}: there is no setting '${name}'${nearest(name, settingNames)}; there are ${settingNames.join(', ')}.`,
      );
    }
  }
  const integer = (name: keyof RunSettings, value: unknown, min: number) => requireInteger(where, name, value, { min });
  const optional = (name: keyof RunSettings, min: number) =>
    given[name] === undefined ? {} : { [name]: integer(name, given[name], min) };
  const steps = integer('steps', given.steps ?? 100_000, 1);
  const evaluationEvery = integer('evaluationEvery', given.evaluationEvery ?? Math.ceil(steps / 20), 1);
  return {
    agent: requireName(where, 'agent', given.agent),
    env: requireName(where, 'env', given.env),
    envOptions: requireObject(where, 'envOptions', given.envOptions ?? {}),
    wrappers: requireWrappers(where, given.wrappers ?? []),
    seed: integer('seed', given.seed ?? 0, 0),
    steps,
    preset: requireOneOf(where, 'preset', given.preset ?? 'small', ['small', 'paper', 'none']),
    options: requireObject(where, 'options', given.options ?? {}),
    evaluationEvery,
    evaluationEpisodes: integer('evaluationEpisodes', given.evaluationEpisodes ?? 10, 1),
    evaluationSeed: integer('evaluationSeed', given.evaluationSeed ?? 1000, 0),
    checkpointEvery: integer('checkpointEvery', given.checkpointEvery ?? evaluationEvery, 1),
    logEvery: integer('logEvery', given.logEvery ?? Math.ceil(steps / 200), 1),
    threads: integer('threads', given.threads ?? 0, 0),
    ...optional('envs', 1),
    ...optional('filmEvery', 1),
    ...optional('stopWithoutImprovement', 1),
    ...(given.stopAtReturn !== undefined && { stopAtReturn: requireNumber(where, 'stopAtReturn', given.stopAtReturn) }),
  };
}

/** The names of all settings. */
export const settingNames: readonly string[] = [
  'agent',
  'env',
  'envOptions',
  'wrappers',
  'envs',
  'seed',
  'steps',
  'preset',
  'options',
  'evaluationEvery',
  'evaluationEpisodes',
  'evaluationSeed',
  'checkpointEvery',
  'logEvery',
  'filmEvery',
  'stopAtReturn',
  'stopWithoutImprovement',
  'threads',
] satisfies (keyof RunSettings)[];

function requireName(where: string, name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new ArgumentError(`${where}: ${name} must be a name, got ${show(value)}.`);
}

function requireObject(where: string, name: string, value: unknown): JsonObject {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as JsonObject;
  throw new ArgumentError(`${where}: ${name} must be an object of names and values, got ${show(value)}.`);
}

function requireWrappers(where: string, value: unknown): WrapperSetting[] {
  if (!Array.isArray(value)) throw new ArgumentError(`${where}: wrappers must be a list, got ${show(value)}.`);
  for (const wrapper of value) requireWrapper(where, wrapper);
  return value;
}

const WITH_VALUE: readonly string[] = ['frameStack', 'timeLimit'] satisfies (typeof wrapperNames)[number][];

function requireWrapper(where: string, wrapper: unknown): void {
  const names = typeof wrapper === 'string' ? [wrapper] : Object.keys(Object(wrapper));
  if (names.length > 1) {
    const apart = names.map((name) => `{ ${name}: ... }`).join(', ');
    throw new ArgumentError(
      `${where}: wrappers must be one to an entry, got ${names.join(' and ')} in one; write ${apart}, the innermost first.`,
    );
  }
  const name = requireOneOf(where, 'wrappers', names[0], wrapperNames);
  const takesValue = WITH_VALUE.includes(name);
  if (takesValue === (typeof wrapper === 'object')) return;
  const allowed = takesValue ? `takes a value; write { ${name}: 4 }` : `takes no value; write '${name}'`;
  throw new ArgumentError(`${where}: the wrapper ${name} ${allowed}, got ${JSON.stringify(wrapper)}.`);
}
