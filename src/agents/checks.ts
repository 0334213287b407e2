import { ArgumentError, requireFinite, ShapeError, show } from '../errors.js';
import { flag, option } from '../options.js';
import { requireColumns, type Transitions } from '../replay/transitions.js';
import type { Rng } from '../rng/rng.js';
import type { EnvSpaces } from './agent.js';
import { requireStreams } from './noiseSource.js';

/** @throws ArgumentError unless `env` has spaces that are boxes */
export function requireSpaces(where: string, env: EnvSpaces): void {
  for (const name of ['observationSpace', 'actionSpace'] as const) {
    if (env?.[name]?.kind === 'box') continue;
    const found = env?.[name] ? `its ${name} is ${show(env[name])}, not a Box` : `got ${show(env)}`;
    throw new ArgumentError(
      `${where}: env must be an environment, or { observationSpace, actionSpace }, of Box spaces; ${found}.`,
    );
  }
}

/** The options of {@link BaseAgent.act} for so many observations. */
export function actOptions(rows: number) {
  return {
    explore: flag(true, 'Whether the action is meant to gather data.'),
    noise: option<readonly Rng[]>({
      doc: 'Random streams, one for each observation.',
      allowed: 'list of Rng',
      check: (where, _, value) => requireStreams(where, value, rows),
    }),
  };
}

/** @throws ShapeError, NonFiniteError, ArgumentError naming the column of `transitions` that does not fit */
export function requireTransitions(
  where: string,
  transitions: { readonly [Column in keyof Transitions]: ArrayLike<number> },
  { observationSize, actionSize }: { observationSize: number; actionSize: number },
): void {
  const rows = transitions?.rewards?.length;
  if (!(rows >= 1)) {
    throw new ShapeError(
      `${where}: transitions must hold rewards of one or more environments, got ${show(transitions)}.`,
    );
  }
  const [observations, actions, number] = [{ width: observationSize }, { width: actionSize }, { width: 1 }];
  const columns = { observations, actions, rewards: number, nextObservations: observations };
  requireColumns(where, transitions, { ...columns, terminated: number, truncated: number });
}

function isNumbers(values: unknown): values is ArrayLike<number> {
  return ArrayBuffer.isView(values) || (Array.isArray(values) && values.every((value) => typeof value === 'number'));
}

export function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.prototype.every.call(a, (value, i) => value === b[i]);
}

export function clipped(action: number): number {
  return Math.min(Math.max(action, -1), 1);
}

/** How many observations of `size` numbers there are. @throws ShapeError, NonFiniteError for anything else */
export function requireObservations(where: string, observations: ArrayLike<number>, size: number): number {
  if (!isNumbers(observations)) {
    throw new ShapeError(
      `${where}: observations must be a Float32Array or a list of numbers, got ${show(observations)}.`,
    );
  }
  const rows = observations.length / size;
  if (!(rows >= 1 && Number.isInteger(rows))) {
    throw new ShapeError(
      `${where}: observations must hold one or more rows of ${size} numbers, got ${observations.length} numbers.`,
    );
  }
  requireFinite(where, 'observations', observations);
  return rows;
}
