import * as tf from '@tensorflow/tfjs-core';
import type { Rng } from 'diffrl';

/** The toy of the SDAC paper: 0.8 N([3, 3], I) + 0.2 N([-3, -3], I). */
const MODES = [
  { weight: 0.8, at: 3 },
  { weight: 0.2, at: -3 },
] as const;

/** log p(x), `[B, 2]` to `[B]`, up to a constant. */
export function logDensity(x: tf.Tensor2D): tf.Tensor1D {
  return tf.logSumExp(logParts(x, 1), 1) as tf.Tensor1D;
}

/** The score of the mixture with its means moved to `signal` times where they are, as noise moves them. */
export function score(x: tf.Tensor2D, signal = 1): tf.Tensor2D {
  const shares = tf.softmax(logParts(x, signal)) as tf.Tensor2D;
  const means = tf.tensor2d(MODES.map(({ at }) => [signal * at, signal * at]));
  return tf.sub(tf.matMul(shares, means), x);
}

function logParts(x: tf.Tensor2D, signal: number): tf.Tensor2D {
  const parts = MODES.map(({ weight, at }) =>
    tf.add(tf.mul(tf.sum(tf.square(tf.sub(x, signal * at)), 1), -0.5), Math.log(weight)),
  );
  return tf.stack(parts, 1) as tf.Tensor2D;
}

/** `count` points, `[count * 2]`. */
export function draw(rng: Rng, count: number): Float32Array {
  const points = rng.normals(2 * count);
  for (let i = 0; i < count; i++) {
    const { at } = rng.uniform() < MODES[0].weight ? MODES[0] : MODES[1];
    points[2 * i]! += at;
    points[2 * i + 1]! += at;
  }
  return points;
}

/** How well points follow the mixture. */
export interface Fit {
  /** Share of the points on the side of the heavy mode; 0.8 is right. */
  weight: number;
  /** KL(mixture || points) of 64 x 64 histograms on [-8, 8]^2, 1e-6 added to the share of every cell. */
  klForward: number;
  /** KL(points || mixture). */
  klReverse: number;
  /** Share of the points within 3 of a mode; 0.989 is right. */
  nearMode: number;
}

const [CELLS, EDGE] = [64, 8];

export function fitOf(points: Float32Array): Fit {
  const count = points.length / 2;
  const side = 2 * EDGE;
  const cellOf = (value: number) => Math.floor(((value + EDGE) / side) * CELLS);
  const counts = new Float64Array(CELLS * CELLS);
  let [heavy, near] = [0, 0];
  for (let i = 0; i < count; i++) {
    const [x, y] = [points[2 * i]!, points[2 * i + 1]!];
    if (x + y > 0) heavy++;
    if (MODES.some(({ at }) => Math.hypot(x - at, y - at) < 3)) near++;
    const [column, row] = [cellOf(x), cellOf(y)];
    if (Math.min(column, row) >= 0 && Math.max(column, row) < CELLS) counts[row * CELLS + column]! += 1;
  }
  const got = normalised(counts);
  const wanted = normalised(cellMasses());
  return {
    weight: heavy / count,
    klForward: divergence(wanted, got),
    klReverse: divergence(got, wanted),
    nearMode: near / count,
  };
}

/** Density at cell centres, averaged over 4 x 4 points a cell. */
function cellMasses(): Float64Array {
  const fine = 4 * CELLS;
  const ordinate = (i: number) => -EDGE + ((i + 0.5) * 2 * EDGE) / fine;
  const masses = new Float64Array(CELLS * CELLS);
  for (const { weight, at } of MODES) {
    const bell = Array.from({ length: fine }, (_, i) => Math.exp(-((ordinate(i) - at) ** 2) / 2));
    const cells = Array.from({ length: CELLS }, (_, i) => bell.slice(4 * i, 4 * i + 4).reduce((a, b) => a + b));
    for (let i = 0; i < masses.length; i++) masses[i]! += weight * cells[i % CELLS]! * cells[Math.floor(i / CELLS)]!;
  }
  return masses;
}

function normalised(values: Float64Array): Float64Array {
  const total = values.reduce((sum, value) => sum + value);
  return values.map((value) => value / total + 1e-6);
}

function divergence(p: Float64Array, q: Float64Array): number {
  return p.reduce((sum, value, i) => sum + value * Math.log(value / q[i]!), 0);
}

/** The mixture's density of one coordinate. */
export function marginal(value: number): number {
  return MODES.reduce((sum, { weight, at }) => {
    return sum + (weight * Math.exp(-((value - at) ** 2) / 2)) / Math.sqrt(2 * Math.PI);
  }, 0);
}
