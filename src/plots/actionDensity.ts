/** Numbers over one or two action dimensions, each from -1 to 1. */
export interface Grid {
  dimensions: readonly number[];
  /** Points along an axis. */
  resolution: number;
  /** `[resolution]`, or `[resolution * resolution]`, the first dimension running fastest. */
  values: Float32Array;
}

/** A place where actions gather. */
export interface Mode {
  /** The mean of the actions next to it, `[A]`. */
  action: number[];
  /** Their share of all actions. */
  share: number;
}

/** A mode is at least so high, as a share of the highest. */
const WORTH_NAMING = 0.05;

/** The density of `actions`, `[N, A]`, by a Gaussian kernel whose width goes by Silverman's rule. */
export function densityOn(
  actions: Float32Array,
  actionSize: number,
  dimensions: readonly number[],
  resolution: number,
): Grid {
  const count = actions.length / actionSize;
  const columns = dimensions.map((axis) => Array.from({ length: count }, (_, i) => actions[i * actionSize + axis]!));
  const kernels = columns.map((column) => kernelValues(column, resolution, dimensions.length));
  const values = new Float32Array(resolution ** dimensions.length);
  for (let i = 0; i < count; i++) {
    const first = kernels[0]![i]!;
    const second = kernels[1]?.[i];
    for (let x = 0; x < resolution; x++) {
      if (!second) values[x]! += first[x]! / count;
      else if (first[x]! > 1e-6) {
        for (let y = 0; y < resolution; y++) values[y * resolution + x]! += (first[x]! * second[y]!) / count;
      }
    }
  }
  return { dimensions, resolution, values };
}

/** The points of a grid as actions `[resolution^D, A]`, the dimensions beyond it as in `around`. */
export function gridPoints({ dimensions, resolution, values }: Grid, around: readonly number[]): Float32Array {
  const size = around.length;
  const points = new Float32Array(values.length * size);
  for (let i = 0; i < values.length; i++) {
    points.set(around, i * size);
    const [x, y] = [i % resolution, Math.floor(i / resolution)];
    points[i * size + dimensions[0]!] = coordinate(x, resolution);
    if (dimensions[1] !== undefined) points[i * size + dimensions[1]] = coordinate(y, resolution);
  }
  return points;
}

/** Where the density has its peaks, and which share of the actions is next to each. */
export function modesOf(actions: Float32Array, actionSize: number, density: Grid): Mode[] {
  const { dimensions } = density;
  const peaks = peaksOf(density);
  const members = peaks.map(() => ({ sum: new Array<number>(actionSize).fill(0), count: 0 }));
  const count = actions.length / actionSize;
  for (let i = 0; i < count; i++) {
    const action = actions.subarray(i * actionSize, (i + 1) * actionSize);
    const distances = peaks.map((peak) => Math.hypot(...dimensions.map((axis, d) => action[axis]! - peak[d]!)));
    const nearest = members[distances.indexOf(Math.min(...distances))]!;
    nearest.count += 1;
    action.forEach((value, axis) => {
      nearest.sum[axis]! += value;
    });
  }
  return members
    .filter((member) => member.count > 0)
    .map(({ sum, count: own }) => ({ action: sum.map((value) => value / own), share: own / count }))
    .sort((a, b) => b.share - a.share);
}

function coordinate(index: number, resolution: number): number {
  return (2 * index) / (resolution - 1) - 1;
}

/** The kernel around each entry of `column` at the grid's points, `[N][resolution]`. */
function kernelValues(column: readonly number[], resolution: number, dimensions: number): Float32Array[] {
  const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
  const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length;
  // Modes far apart make the spread large: the rule's width is halved so that they stay apart.
  const rule = 0.5 * Math.sqrt(variance) * (4 / ((dimensions + 2) * column.length)) ** (1 / (dimensions + 4));
  const width = Math.max(rule, 1.5 / (resolution - 1));
  return column.map((value) =>
    Float32Array.from({ length: resolution }, (_, x) => {
      const distance = (coordinate(x, resolution) - value) / width;
      return Math.exp(-0.5 * distance ** 2) / (width * Math.sqrt(2 * Math.PI));
    }),
  );
}

/** Points that are higher than all their neighbours. */
function peaksOf({ dimensions, resolution, values }: Grid): number[][] {
  const rows = dimensions.length === 2 ? resolution : 1;
  const highest = values.reduce((a, b) => Math.max(a, b), 0);
  const at = (x: number, y: number) =>
    x < 0 || y < 0 || x >= resolution || y >= rows ? Number.NEGATIVE_INFINITY : values[y * resolution + x]!;
  const peaks: number[][] = [];
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < resolution; x++) {
      const here = at(x, y);
      const before = [at(x - 1, y - 1), at(x, y - 1), at(x + 1, y - 1), at(x - 1, y)];
      const after = [at(x + 1, y), at(x - 1, y + 1), at(x, y + 1), at(x + 1, y + 1)];
      // Of equal neighbours one is taken.
      const isPeak = before.every((value) => here > value) && after.every((value) => here >= value);
      if (isPeak && here >= WORTH_NAMING * highest) {
        peaks.push([coordinate(x, resolution), ...(rows > 1 ? [coordinate(y, resolution)] : [])]);
      }
    }
  }
  return peaks;
}
