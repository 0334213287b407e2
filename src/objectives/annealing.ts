import { ArgumentError, requireNumber, requireOneOf } from '../errors.js';
import { requireOptions } from '../options.js';

/** A number that changes with the environment steps taken. */
export interface AnnealingOptions {
  /** First value, >= 0 (above 0 for `'exponential'`). */
  from: number;
  /** Last value, >= 0 (above 0 for `'exponential'`), kept from then on. */
  to: number;
  /** Environment steps from the first value to the last, >= 1. */
  duration: number;
  /** Environment steps that the first value is kept before, default 0. */
  warmup?: number;
  /**
   * The way from one to the other: `'linear'` (default), `'cosine'` (slow at both ends), `'exponential'` (equal ratios),
   * or places `[progress, value]` with progress rising within (0, 1), joined by straight lines.
   */
  shape?: 'linear' | 'cosine' | 'exponential' | readonly (readonly [progress: number, value: number])[];
}

/**
 * The value as a function of the environment steps taken.
 *
 * @throws ArgumentError for values out of range
 */
export function annealing(options: AnnealingOptions): (environmentSteps: number) => number {
  const given = requireOptions('annealing', options, {
    from: true,
    to: true,
    duration: true,
    warmup: true,
    shape: true,
  });
  const { shape = 'linear' } = given;
  const bounds = shape === 'exponential' ? { above: 0 } : { min: 0 };
  const from = requireNumber('annealing', 'from', given.from, bounds);
  const to = requireNumber('annealing', 'to', given.to, bounds);
  const duration = requireNumber('annealing', 'duration', given.duration, { min: 1 });
  const warmup = requireNumber('annealing', 'warmup', given.warmup ?? 0, { min: 0 });
  const along = typeof shape === 'string' ? between(from, to, shape) : through([[0, from], ...shape, [1, to]]);
  return (steps) => along(Math.min(Math.max((steps - warmup) / duration, 0), 1));
}

function between(from: number, to: number, shape: string): (progress: number) => number {
  switch (requireOneOf('annealing', 'shape', shape, ['linear', 'cosine', 'exponential'])) {
    case 'linear':
      return (progress) => from + (to - from) * progress;
    case 'cosine':
      return (progress) => to + ((from - to) * (1 + Math.cos(Math.PI * progress))) / 2;
    case 'exponential':
      return (progress) => from * (to / from) ** progress;
  }
}

function through(places: (readonly [number, number])[]): (progress: number) => number {
  places.forEach(([progress, value], i) => {
    const before = places[i - 1]?.[0] ?? -1;
    if (progress > before && progress <= 1 && value >= 0 && Number.isFinite(value)) return;
    throw new ArgumentError(
      `annealing: shape must list [progress, value] with progress rising within (0, 1) and values >= 0, got [${progress}, ${value}].`,
    );
  });
  return (progress) => {
    const end = Math.max(
      places.findIndex(([place]) => place >= progress),
      1,
    );
    const [left, low] = places[end - 1] as readonly [number, number];
    const [right, high] = places[end] as readonly [number, number];
    return low + ((high - low) * (progress - left)) / (right - left);
  };
}
