import type { JsonObject } from '../agents/optionsJson.js';
import { MountainCarContinuous } from '../envs/classic/mountainCarContinuous.js';
import { Pendulum } from '../envs/classic/pendulum.js';
import type { Env } from '../envs/env.js';
import { MultiGoal } from '../envs/multiGoal.js';
import { SyncVectorEnv } from '../envs/syncVectorEnv.js';
import type { VectorEnv } from '../envs/vectorEnv.js';
import { ArgumentError, requireText, show } from '../errors.js';
import { nearest } from '../nearest.js';
import { isRemoteAddress } from '../remote/address.js';
import { isModule, loadFunction } from './modules.js';
import { type WrapperSetting, Wrapping } from './wrappers.js';

/** The environments of a run. */
export interface RunEnvironments {
  /** The one that is trained in. */
  train: Env | VectorEnv;
  /** One for evaluations; shares moments with `train`. */
  evaluation: Env;
  /** Another one like `evaluation`. */
  another(): Promise<Env>;
  /** For `episodes` of an evaluation: so many like `evaluation` side by side, or it alone where it is not the library's own. */
  sideBySide(episodes: number): Promise<Env | VectorEnv>;
  close(): Promise<void>;
}

/** Environments that an evaluation plays in at most: acting for ten observations costs little more than for one. */
const SIDE_BY_SIDE = 10;

/** Environments that need nothing else. */
// biome-ignore lint/suspicious/noExplicitAny: each class checks its own options
const CLASSIC: Readonly<Record<string, new (options: any) => Env>> = {
  'Pendulum-v1': Pendulum,
  'MountainCarContinuous-v0': MountainCarContinuous,
  MultiGoal,
};

/** The ids of all environments of the library. */
export async function environmentIds(): Promise<string[]> {
  const { mujocoIds } = await import('../mujoco/registry.js');
  return [...Object.keys(CLASSIC), ...mujocoIds()];
}

/**
 * One environment, by id, module or address.
 *
 * @throws ArgumentError for a name that is none of them, with the nearest id
 */
export async function makeEnvironment(where: string, name: string, options: JsonObject = {}): Promise<Env> {
  requireText('makeEnvironment', 'where', where);
  requireText(where, 'name', name);
  if (isModule(name)) return requireEnv(where, name, await (await loadFunction(where, name))(options));
  if (isRemoteAddress(name)) return connect(name, options);
  const Classic = Object.entries(CLASSIC).find(([id]) => id === name || id.replace(/-v\d$/, '') === name)?.[1];
  if (Classic) return new Classic(options);
  const ids = await environmentIds();
  if (!ids.includes(name)) {
    throw new ArgumentError(
      `${where}: there is no environment '${name}'${nearest(name, ids)}. 'diffrl envs' lists them; your own is ./file.ts#function.`,
    );
  }
  const { makeMujoco } = await import('../mujoco/make.js');
  return makeMujoco(name as never, options as never);
}

/** The environments of a run, wrapped. @throws as {@link makeEnvironment} */
export async function makeRunEnvironments(
  where: string,
  setting: { env: string; envOptions: JsonObject; wrappers: WrapperSetting[] },
  envs: number,
): Promise<RunEnvironments> {
  const wrapping = new Wrapping(setting.wrappers);
  const made: { close?(): unknown }[] = [];
  const places = placesOf(setting.env);
  const make = async (learns: boolean, index = 0) => {
    const place = places[index % places.length] as string;
    const env = await makeEnvironment(where, place, setting.envOptions);
    return closedIfFails({ close: async () => env.close?.() }, async () => wrapping.wrap(env, learns));
  };
  const kept = <E extends { close?(): unknown }>(env: E): E => {
    made.push(env);
    return env;
  };
  const close = async () => {
    for (const env of made) await env.close?.();
  };
  return closedIfFails({ close }, async () => {
    const train = kept(envs === 1 ? await make(true) : await SyncVectorEnv.create(envs, (i) => make(true, i)));
    const evaluation = kept(await make(false));
    return {
      train,
      evaluation,
      another: async () => kept(await make(false)),
      sideBySide: async (episodes) =>
        isOwn(setting.env)
          ? kept(await SyncVectorEnv.create(Math.min(episodes, SIDE_BY_SIDE), () => make(false)))
          : evaluation,
      close,
    };
  });
}

/** @throws ArgumentError where `env` names more servers than a run has environments */
export function requirePlaces(where: string, env: string, envs: number): void {
  const { length } = placesOf(env);
  if (length <= envs) return;
  throw new ArgumentError(
    `${where}: env names ${length} servers, but envs is ${envs}, so that not all would be used; set envs (--envs) to ${length} or more, or leave servers out.`,
  );
}

function placesOf(env: string): string[] {
  return isRemoteAddress(env) ? env.split(',') : [env];
}

/** Whether `name` is an environment of the library, of which there can be any number side by side. */
export function isOwn(name: string): boolean {
  return !isModule(name) && !isRemoteAddress(name);
}

/** What `use` returns; if it fails, `environments` are closed. */
export async function closedIfFails<T>(
  environments: Pick<RunEnvironments, 'close'>,
  use: () => Promise<T>,
): Promise<T> {
  try {
    return await use();
  } catch (error) {
    await environments.close().catch(() => {}); // why it failed says more
    throw error;
  }
}

/** An environment elsewhere; options are keyword arguments of Python, the token is in the variable `DIFFRL_TOKEN`. */
async function connect(address: string, kwargs: JsonObject): Promise<Env> {
  const { connectEnv } = await import('../remote/connectEnv.js');
  return connectEnv(address, { kwargs, token: process.env.DIFFRL_TOKEN });
}

function requireEnv(where: string, name: string, made: unknown): Env {
  const env = made as Partial<Env> | undefined;
  if (typeof env?.reset === 'function' && typeof env.step === 'function') return env as Env;
  throw new ArgumentError(
    `${where}: '${name}' must return an environment (reset, step, observationSpace, actionSpace), got ${show(made)}.`,
  );
}
