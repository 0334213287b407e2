import type { Checkpoint, Json } from '../checkpoint/checkpointFiles.js';
import { descriptionOf } from '../described.js';
import { CheckpointError } from '../errors.js';
import type { OptionTable } from '../options.js';
import type { Commit } from '../state.js';
import type { Agent } from './agent.js';

/** Option values as plain JSON; what was made by a class or function is told by its name and options. */
export function asConfig(table: OptionTable, values: Readonly<Record<string, unknown>>): Checkpoint['config'] {
  const told = Object.entries(values).filter(([name, value]) => value !== undefined && !table[name]?.local);
  return Object.fromEntries(told.map(([name, value]) => [name, asJson(value)]));
}

function asJson(value: unknown): Json {
  if (Array.isArray(value)) return value.map(asJson);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  const description = descriptionOf(value as object);
  if (description) return { type: description.maker.name, ...parts(description.options) };
  if (typeof value === 'function') return `function ${value.name}`;
  const isPlain = Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? parts(value as object) : (value as object).constructor.name;
}

function parts(values: object): { [key: string]: Json } {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, asJson(value)]));
}

/**
 * Checks that `checkpoint` belongs to an agent like this one, of the same kind and with the same options; the function
 * returned loads it and cannot fail.
 *
 * @throws CheckpointError naming what differs. To load the arrays into an agent with other options all the same, give
 *   its `state` to {@link loadState}
 */
export async function prepareCheckpoint(
  agent: Pick<Agent, 'kind' | 'config' | 'prepare'>,
  { kind, config, state }: Checkpoint,
): Promise<Commit> {
  if (kind !== agent.kind) {
    throw new CheckpointError(
      `The checkpoint belongs to a ${kind}, not to a ${agent.kind}; make an agent of its kind.`,
    );
  }
  const names = [...new Set([...Object.keys(config), ...Object.keys(agent.config)])];
  const text = (value: Json | undefined) => (value === undefined ? 'nothing' : JSON.stringify(value));
  const differing = names.filter((name) => text(config[name]) !== text(agent.config[name]));
  if (differing.length) {
    const list = differing.map((name) => `${name} ${text(config[name])} instead of ${text(agent.config[name])}`);
    throw new CheckpointError(
      `The checkpoint is of a ${kind} with other options: ${list.join('; ')}. Make the agent with those, or load the arrays ` +
        'alone: loadState(agent, (await readCheckpoint(path)).state).',
    );
  }
  return agent.prepare(state);
}
