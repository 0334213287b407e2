import { requireFinite, requireLength } from '../errors.js';

/** One step of N environments (N = 1 for a single one), as flat arrays, one environment after the other. */
export interface Transitions {
  /** `[N * observationSize]`, what was acted on. */
  observations: Float32Array;
  /** `[N * actionSize]` */
  actions: Float32Array;
  /** `[N]` */
  rewards: Float32Array;
  /** `[N * observationSize]`, the true successors. */
  nextObservations: Float32Array;
  /** `[N]`, 1 where the task itself ended. */
  terminated: Uint8Array;
  /** `[N]`, 1 where the episode was cut. */
  truncated: Uint8Array;
}

/** What agents are told of a step. */
export interface ObservedTransitions extends Transitions {
  /** `[N]`, 1 where the environment was lost and its numbers only stand in, so that nothing may be learned from them. */
  lost?: Uint8Array;
}

/**
 * @param columns numbers of a row, by column
 * @throws ShapeError or NonFiniteError naming the column that does not fit the number of rewards
 */
export function requireColumns(
  where: string,
  transitions: object,
  columns: Readonly<Partial<Record<string, { width: number }>>>,
): void {
  const given = transitions as Record<string, ArrayLike<number>> | undefined;
  const rows = given?.rewards?.length as number;
  for (const [name, column] of Object.entries(columns)) {
    const values = given?.[name] as ArrayLike<number>;
    requireLength(where, name, values, rows * column!.width, `${rows} transitions`);
    requireFinite(where, name, values);
  }
}
