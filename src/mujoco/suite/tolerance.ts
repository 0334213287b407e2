/** How fast {@link tolerance} falls outside the bounds; each is 1 at distance 0 and `valueAtMargin` at distance 1. */
export type ToleranceShape = keyof typeof SHAPES;

/** Options of {@link tolerance}. */
export interface ToleranceOptions {
  /** Default 0. */
  lower?: number;
  /** Default 0; `Infinity` for no upper bound. */
  upper?: number;
  /** Distance from the bounds at which the value is `valueAtMargin`; default 0: nothing outside the bounds. */
  margin?: number;
  /** Default `'gaussian'`. */
  shape?: ToleranceShape;
  /** Default 0.1. */
  valueAtMargin?: number;
}

const SHAPES = {
  gaussian: (d: number, v: number) => Math.exp(-0.5 * (d * Math.sqrt(-2 * Math.log(v))) ** 2),
  linear: (d: number, v: number) => Math.max(1 - d * (1 - v), 0),
  quadratic: (d: number, v: number) => Math.max(1 - d * d * (1 - v), 0),
  longTail: (d: number, v: number) => 1 / (d * d * (1 / v - 1) + 1),
} as const;

/**
 * DeepMind Control's reward of a number: 1 within [lower, upper], falling to `valueAtMargin` at `margin` outside.
 * NaN gives NaN.
 */
export function tolerance(
  x: number,
  { lower = 0, upper = 0, margin = 0, shape = 'gaussian', valueAtMargin = 0.1 }: ToleranceOptions = {},
): number {
  if (lower <= x && x <= upper) return 1;
  if (margin === 0) return 0;
  return SHAPES[shape]((x < lower ? lower - x : x - upper) / margin, valueAtMargin);
}
