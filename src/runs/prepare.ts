import type { Agent, EnvSpaces } from '../agents/agent.js';
import { type JsonObject, mergeOptions } from '../agents/optionsJson.js';
import { presetFor } from '../agents/presets.js';
import { agentClass, createAgent } from '../agents/registry.js';
import type { Env } from '../envs/env.js';
import { ArgumentError, requireObject, requireText, show } from '../errors.js';
import { requirePath } from '../files/fileErrors.js';
import { closedIfFails, makeRunEnvironments, type RunEnvironments, requirePlaces } from './environment.js';
import { fileName, type RunDetails, RunFolder } from './folder.js';
import { absoluteModule, isModule, loadFunction } from './modules.js';
import { type CompleteSettings, completeSettings, type RunSettings } from './settings.js';

/** Agent and environments of a run, made from its settings. */
export interface PreparedRun {
  settings: CompleteSettings;
  details: RunDetails;
  environments: RunEnvironments;
  agent: Agent;
}

/**
 * Makes what a run needs. The same settings make the same run.
 *
 * @param where the public name or command the user called
 * @throws ArgumentError for a setting or option that is not allowed
 */
export async function prepareRun(where: string, given: RunSettings): Promise<PreparedRun> {
  const settings = completeSettings(given, where);
  if (!isModule(settings.agent)) agentClass(where, settings.agent);
  const { details, environments } = await describeTask(where, settings);
  return closedIfFails(environments, async () => {
    if (settings.filmEvery !== undefined) await requireModel(where, environments.evaluation);
    const agent = await makeAgent(where, settings, environments.train, details.resolved.options);
    details.resolved.agent = agent.config;
    return { settings, details, environments, agent };
  });
}

/**
 * Makes the folder of a new run in `parent`, after all of its settings were tried.
 *
 * @throws ArgumentError for a setting or option that is not allowed; then there is no folder
 */
export async function createRun(where: string, parent: string, given: RunSettings): Promise<RunFolder> {
  requireText('createRun', 'where', where);
  requirePath(where, parent, 'parent');
  requireObject(where, 'settings', given);
  const settings = withAbsolutePaths(given);
  const { details, environments, agent } = await prepareRun(where, settings);
  agent.dispose();
  await environments.close();
  return RunFolder.create(parent, settings, details);
}

/** Modules by absolute paths, so that the run goes on from any folder. */
export function withAbsolutePaths(given: RunSettings): RunSettings {
  const absolute = (name: string) => (isModule(name) ? absoluteModule(name) : name);
  return { ...given, agent: absolute(given.agent), env: absolute(given.env) };
}

async function describeTask(where: string, settings: CompleteSettings) {
  const environment = (envs: number) => makeRunEnvironments(where, settings, envs);
  const first = await environment(1);
  const details = await closedIfFails(first, async () => {
    const found = detailsOf(settings, first.evaluation);
    requirePlaces(where, settings.env, found.resolved.envs);
    return found;
  });
  const { envs } = details.resolved;
  if (envs === 1) return { details, environments: first };
  await first.close();
  return { details, environments: await environment(envs) };
}

function detailsOf(settings: CompleteSettings, env: Env): RunDetails {
  const id = env.id ?? fileName(settings.env);
  const preset = presetFor(settings.agent, id, settings.preset);
  return {
    resolved: {
      options: mergeOptions(preset.options, settings.options),
      envs: settings.envs ?? preset.envs,
      sources: preset.lines.map(({ source, options }) => `${Object.keys(options).join(', ')}: ${source}`),
    },
    task: { id, observationSize: env.observationSpace.size, actionSize: env.actionSpace.size },
  };
}

/** @throws ArgumentError unless `env` can be filmed */
async function requireModel(where: string, env: Env): Promise<void> {
  const { findMujocoEnv } = await import('../mujoco/mujocoEnv.js');
  if (findMujocoEnv(env)) return;
  throw new ArgumentError(
    `${where}: filmEvery is for MuJoCo tasks, but ${env.id ?? 'the environment'} has no model to draw; leave it out.`,
  );
}

async function makeAgent(
  where: string,
  { agent, seed, threads }: CompleteSettings,
  { observationSpace, actionSpace }: EnvSpaces,
  options: JsonObject,
): Promise<Agent> {
  const env = { observationSpace, actionSpace };
  if (!isModule(agent)) return createAgent(agent, { env, seed }, withThreads(threads, options));
  const made = await (await loadFunction(where, agent))({ env, seed, ...options });
  if (typeof (made as Agent | undefined)?.act === 'function') return made as Agent;
  throw new ArgumentError(`${where}: '${agent}' must return an agent (act, observe, update ...), got ${show(made)}.`);
}

/** Options that compile with so many threads, unless `compile` is off or names a number of its own. */
function withThreads(threads: number, options: JsonObject): JsonObject {
  if (threads === 0) return options;
  const { compile, ...others } = options;
  return mergeOptions({ compile: { threads } }, compile === true ? others : options);
}
