import { NonFiniteError } from '../errors.js';
import type { StateArray } from '../state.js';

/** The output of an update program that is finite if its gradients are. */
export const GRADIENTS = 'gradients';

/** @throws NonFiniteError for the first output with an entry that is NaN or infinite */
export function requireFiniteOutputs(outputs: Readonly<Record<string, Float32Array>>): void {
  for (const [name, values] of Object.entries(outputs)) {
    const wrong = values.find((value) => !Number.isFinite(value));
    if (wrong === undefined) continue;
    const what = name === GRADIENTS ? 'a gradient or learning rate is not finite' : `${name} is ${wrong}`;
    throw new NonFiniteError(what);
  }
}

/** Numbers beyond this are hardly meant. */
const LARGE = 1e6;

/** `error` with where it happened and what may have caused it. */
export function explained(
  error: unknown,
  name: string,
  updates: number,
  inputs: Readonly<Record<string, StateArray>>,
): unknown {
  if (!(error instanceof NonFiniteError)) return error;
  const largest = Object.entries(inputs).map(([input, { data }]) => [input, magnitude(data)] as const);
  const [input, size] = largest.reduce((a, b) => (b[1] > a[1] ? b : a));
  const cause =
    size > LARGE
      ? `${input} reach ${size.toExponential(1)}: bring them to the size of 1 (NormaliseObservation, NormaliseReward or a scale of your own)`
      : 'the inputs are of ordinary size, so the networks have run away: lower the learning rates, and look at the metrics before this';
  return new NonFiniteError(
    `${name}.update: ${error.message} in gradient step ${updates + 1}, which has changed no parameter. Most likely ${cause}.`,
    { cause: error },
  );
}

function magnitude(data: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i] as number));
  return largest;
}
