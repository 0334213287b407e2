import { readCheckpoint } from '../checkpoint/checkpoint.js';
import type { Checkpoint, Json } from '../checkpoint/checkpointFiles.js';
import { CheckpointError } from '../errors.js';
import type { Agent } from './agent.js';
import { prepareCheckpoint, spacesOf } from './config.js';
import { decodeOptions } from './optionsJson.js';
import type { Maker } from './pieces.js';

/** What a checkpoint cannot hold, and what may differ from one machine to another. */
export interface Rebuilding {
  /** Makes pieces that are not the library's own, by the name of their class or function, from the options they had. */
  custom?: Record<string, Maker>;
  /** Options in place of those of the checkpoint, such as `{ compile: false }` or a function that no file can hold. */
  options?: Record<string, unknown>;
}

/** A class of agents that a checkpoint can be made into. */
export interface RebuildableClass<A extends Agent> {
  readonly kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: each class checks its own options
  create(options: any): Promise<A>;
}

/**
 * The agent that `checkpoint` was made of.
 *
 * @throws CheckpointError if it does not say how to make its agent
 * @throws ArgumentError naming a piece that nobody can make
 */
export async function rebuild<A extends Agent>(
  Class: RebuildableClass<A>,
  checkpoint: Checkpoint,
  { custom = {}, options = {} }: Rebuilding = {},
): Promise<A> {
  const env = spacesOf(checkpoint.config);
  if (!env) {
    throw new CheckpointError(
      `load: the checkpoint of a ${checkpoint.kind} does not say how to make it; make the agent yourself and restore() it.`,
    );
  }
  const agent = await Class.create({ ...decoded(checkpoint.config, custom, options), ...options, env });
  try {
    const commit = await prepareCheckpoint(withConfigOf(agent, checkpoint, options), checkpoint);
    await commit();
    return agent;
  } catch (error) {
    agent.dispose();
    throw error;
  }
}

function decoded(config: Checkpoint['config'], custom: Record<string, Maker>, over: object): Record<string, unknown> {
  const told = Object.entries(config).filter(([name]) => name !== 'spaces' && !(name in over));
  return decodeOptions(Object.fromEntries(told) as Record<string, Json>, custom, 'load');
}

/** Options that were handed in need not be what they were, but their arrays must fit. */
function withConfigOf(agent: Agent, { config }: Checkpoint, over: object) {
  const handed = Object.fromEntries(Object.keys(over).map((name) => [name, config[name]]));
  return { kind: agent.kind, config: { ...agent.config, ...handed }, prepare: agent.prepare.bind(agent) };
}

/** The agent of a class from the checkpoint `path`. @throws CheckpointError if it cannot be made or does not fit */
export async function loadAs<A extends Agent>(
  Class: RebuildableClass<A>,
  path: string,
  rebuilding?: Rebuilding,
): Promise<A> {
  return rebuild(Class, await readCheckpoint(path, Class.kind), rebuilding);
}
