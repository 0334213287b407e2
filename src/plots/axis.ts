import { requireNumber } from '../errors.js';

/** The two ends of an axis. */
export type AxisRange = readonly [low: number, high: number];

/**
 * Round numbers within `range`, about `count` of them: multiples of 1, 2 or 5 times a power of ten.
 *
 * @example
 * ```ts
 * niceTicks([0, 1], 5); // [0, 0.2, 0.4, 0.6, 0.8, 1]
 * ```
 */
export function niceTicks([low, high]: AxisRange, count = 6): number[] {
  requireNumber('niceTicks', 'low', low);
  requireNumber('niceTicks', 'high', high, { above: low });
  const rough = (high - low) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  // The factor nearest to what is asked for, by ratio.
  const factor = [7.07, 3.16, 1.41, 0].findIndex((bound) => rough / power >= bound);
  const step = power * ([10, 5, 2, 1][factor] as number);
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  // Dividing by the inverse keeps 0.1 + 0.2 from becoming 0.30000000000000004.
  return Array.from({ length: last - first + 1 }, (_, i) =>
    step < 1 ? (first + i) / Math.round(1 / step) : (first + i) * step,
  );
}

/** Labels for ticks, all with the digits that their distance needs: `250k`, `0.05`, `1e-9`. */
export function tickLabels(ticks: readonly number[]): string[] {
  const largest = Math.max(...ticks.map(Math.abs));
  const step = ticks.length > 1 ? Math.abs((ticks[1] as number) - (ticks[0] as number)) : largest;
  const isExtreme = largest < 1e-4 || largest >= 1e12;
  const { unit, suffix } = isExtreme
    ? powerBelow(largest)
    : (UNITS.find(({ from }) => largest >= from) ?? powerBelow(1));
  const digits = Math.min(Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9)), 12);
  const label = (tick: number) =>
    isExtreme ? tick.toExponential(digits).replace(/\.?0*e/, 'e') : `${(tick / unit).toFixed(digits)}${suffix}`;
  return ticks.map((tick) => (tick === 0 ? '0' : label(tick)));
}

function powerBelow(value: number): { unit: number; suffix: string } {
  return { unit: 10 ** Math.floor(Math.log10(value)), suffix: '' };
}

const UNITS = [
  { from: 1e9, unit: 1e9, suffix: 'G' },
  { from: 1e6, unit: 1e6, suffix: 'M' },
  { from: 1e4, unit: 1e3, suffix: 'k' },
];

/** The smallest range that holds all finite numbers of all `lists`, `undefined` if there are none. */
export function extentOf(...lists: (ArrayLike<number> | undefined)[]): AxisRange | undefined {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const list of lists) {
    for (let i = 0; i < (list?.length ?? 0); i++) {
      const value = list?.[i] as number;
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return low <= high ? [low, high] : undefined;
}

/** Whether a range is wide enough, and not too wide, to be divided in float64. */
export function isUsable([low, high]: AxisRange): boolean {
  const size = Math.max(Math.abs(low), Math.abs(high));
  return high - low > Math.max(1e-12 * size, 1e-290) && size < 1e290;
}

/** `range` itself if it {@link isUsable}, else a wider one around its middle, within what float64 can handle. */
export function usable([low, high]: AxisRange): AxisRange {
  if (isUsable([low, high])) return [low, high];
  const [from, to] = [low, high].map((end) => Math.min(Math.max(end, -1e289), 1e289)) as [number, number];
  if (isUsable([from, to])) return [from, to];
  const air = Math.max(0.5, 1e-3 * Math.abs(from));
  return [from - air, to + air];
}
