import type { Checkpoint, Json } from '../checkpoint/checkpointFiles.js';
import { CheckpointError } from '../errors.js';
import type { OptionTable } from '../options.js';
import { Box } from '../spaces/box.js';
import type { Commit } from '../state.js';
import type { Agent, EnvSpaces } from './agent.js';
import { encodeOptions } from './optionsJson.js';

/**
 * What it takes to make an agent again, as plain JSON: its spaces, and its options ({@link encodeOptions}) but for those that
 * only say where and how to run.
 */
export function asConfig(
  table: OptionTable,
  values: Readonly<Record<string, unknown>>,
  { observationSpace, actionSpace }: EnvSpaces,
): Checkpoint['config'] {
  const told = Object.entries(values).filter(([name]) => !table[name]?.local);
  return {
    spaces: { observations: spaceAsJson(observationSpace), actions: spaceAsJson(actionSpace) },
    ...encodeOptions(Object.fromEntries(told)),
  };
}

/** The spaces that {@link asConfig} told. */
export function spacesOf({ spaces }: Checkpoint['config']): EnvSpaces | undefined {
  const { observations, actions } = (spaces ?? {}) as Record<string, SpaceJson | undefined>;
  return (
    observations && actions && { observationSpace: spaceFromJson(observations), actionSpace: spaceFromJson(actions) }
  );
}

/** Bounds as texts where they are infinite, once where all are equal. */
type SpaceJson = { size: number; low: Bound | Bound[]; high: Bound | Bound[] };
type Bound = number | string;

function spaceAsJson({ size, low, high }: Box): SpaceJson {
  const bound = (value: number): Bound => (Number.isFinite(value) ? value : String(value));
  const bounds = (values: Float32Array) => {
    const isUniform = values.every((value) => value === values[0]);
    return isUniform ? bound(values[0] as number) : Array.from(values, bound);
  };
  return { size, low: bounds(low), high: bounds(high) };
}

function spaceFromJson({ size, low, high }: SpaceJson): Box {
  const bounds = (given: Bound | Bound[]) =>
    Array.from({ length: size }, (_, i) => Number(Array.isArray(given) ? given[i] : given));
  return new Box(bounds(low), bounds(high));
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
