import { ArgumentError, requireFinite, requireList, requireNumber } from '../errors.js';

/** The arithmetic mean. @throws ArgumentError for an empty list, NonFiniteError for NaN or infinity */
export function mean(values: ArrayLike<number>): number {
  requireValues('mean', values);
  return sum(values) / values.length;
}

/** The sample standard deviation (divided by n - 1); 0 for a single value. @throws as {@link mean} */
export function std(values: ArrayLike<number>): number {
  requireValues('std', values);
  if (values.length === 1) return 0;
  const center = mean(values);
  return Math.sqrt(sum(Array.from(values, (value) => (value - center) ** 2)) / (values.length - 1));
}

/**
 * The `fraction` quantile, linearly interpolated between the two nearest values (as NumPy does by default).
 *
 * @param fraction in [0, 1]; 0.5 is the median
 */
export function quantile(values: ArrayLike<number>, fraction: number): number {
  requireValues('quantile', values);
  requireNumber('quantile', 'fraction', fraction, { min: 0, max: 1 });
  const sorted = Float64Array.from(values).sort();
  const position = fraction * (sorted.length - 1);
  const below = sorted[Math.floor(position)] as number;
  const above = sorted[Math.ceil(position)] as number;
  return below + (position - Math.floor(position)) * (above - below);
}

/**
 * The mean of the middle half: a quarter of the values, rounded down, is dropped at either end. More robust than the
 * mean, more efficient than the median (Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical
 * Precipice", 2021). @throws as {@link mean}
 */
export function interquartileMean(values: ArrayLike<number>): number {
  requireValues('interquartileMean', values);
  const sorted = Float64Array.from(values).sort();
  const dropped = Math.floor(sorted.length / 4);
  return mean(sorted.subarray(dropped, sorted.length - dropped));
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] as number;
  return total;
}

function requireValues(where: string, values: ArrayLike<number>): void {
  requireList(where, 'values', values);
  if (values.length === 0) throw new ArgumentError(`${where}: values must hold at least one number, got none.`);
  requireFinite(where, 'values', values);
}
