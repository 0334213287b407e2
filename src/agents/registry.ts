import { ArgumentError, show } from '../errors.js';
import { nearest } from '../nearest.js';
import type { Agent, EnvSpaces } from './agent.js';
import { ConsistencyAcAgent } from './denoising/consistencyAcAgent.js';
import { DacerAgent } from './denoising/dacerAgent.js';
import { DiffusionQlAgent } from './denoising/diffusionQlAgent.js';
import { DipoAgent } from './denoising/dipoAgent.js';
import { DpmdAgent } from './denoising/dpmdAgent.js';
import { DppoAgent } from './denoising/dppoAgent.js';
import { QsmAgent } from './denoising/qsmAgent.js';
import { QvpoAgent } from './denoising/qvpoAgent.js';
import { SdacAgent } from './denoising/sdacAgent.js';
import { DimeAgent } from './dime/dimeAgent.js';
import { DiffPpoAgent } from './dmerl/diffPpoAgent.js';
import { DiffSacAgent } from './dmerl/diffSacAgent.js';
import { DiffWpoAgent } from './dmerl/diffWpoAgent.js';
import { BroAgent } from './gaussian/bro.js';
import { CrossQAgent } from './gaussian/crossQ.js';
import { PpoAgent } from './gaussian/ppo.js';
import { SacAgent } from './gaussian/sac.js';
import { Td3Agent } from './gaussian/td3.js';
import { WpoAgent } from './gaussian/wpo.js';
import { decodeOptions, type JsonObject } from './optionsJson.js';
import type { Maker } from './pieces.js';

/** A class of agents that can be named in a command, a file or a checkpoint. */
export interface NamedAgentClass {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: each class checks its own options
  create(options: any): Promise<Agent>;
}

/** The library's agents by the names that commands and files give them. */
export const agentClasses: Readonly<Record<string, NamedAgentClass>> = {
  dime: DimeAgent,
  sdac: SdacAgent,
  dpmd: DpmdAgent,
  qsm: QsmAgent,
  qvpo: QvpoAgent,
  dipo: DipoAgent,
  diffppo: DiffPpoAgent,
  diffsac: DiffSacAgent,
  diffwpo: DiffWpoAgent,
  sac: SacAgent,
  crossq: CrossQAgent,
  diffusionql: DiffusionQlAgent,
  consistencyac: ConsistencyAcAgent,
  dacer: DacerAgent,
  td3: Td3Agent,
  ppo: PpoAgent,
  bro: BroAgent,
  dppo: DppoAgent,
  wpo: WpoAgent,
};

/** What a `sampler` without a `type` is, by agent. */
const SAMPLERS: Readonly<Record<string, string>> = {
  dime: 'EulerMaruyamaSampler',
  diffppo: 'dmerlSampler',
  diffsac: 'dmerlSampler',
  diffwpo: 'dmerlSampler',
};

/** @throws ArgumentError for a name that no agent has, with the nearest one */
export function agentClass(where: string, name: string): NamedAgentClass {
  const found = typeof name === 'string' && Object.hasOwn(agentClasses, name) ? agentClasses[name] : undefined;
  if (found) return found;
  const names = Object.keys(agentClasses);
  throw new ArgumentError(
    `${where}: there is no agent ${show(name)}${nearest(name, names)}; there are ${names.join(', ')}.`,
  );
}

/**
 * An agent by name, from options as JSON (`encodeOptions`).
 *
 * @param custom makes pieces that are not the library's own
 * @throws ArgumentError for an unknown name, an unknown piece, or what the agent refuses
 */
export async function createAgent(
  name: string,
  setting: { env: EnvSpaces; seed?: number },
  options: JsonObject = {},
  custom: Record<string, Maker> = {},
): Promise<Agent> {
  const Class = agentClass('createAgent', name);
  return Class.create({ ...decodeAgentOptions(name, options, custom), ...setting });
}

/** The options of the agent `name` from JSON; a sampler without a `type` is the agent's own kind. */
export function decodeAgentOptions(name: string, options: JsonObject, custom: Record<string, Maker> = {}) {
  const { sampler, ...rest } = options;
  const isBare = sampler !== null && typeof sampler === 'object' && !Array.isArray(sampler) && !('type' in sampler);
  const typed = isBare ? { type: SAMPLERS[name], ...sampler } : sampler;
  return decodeOptions({ ...rest, ...(typed !== undefined && { sampler: typed }) }, custom, name);
}
