/**
 * A chain of K affine Gaussian kernels with a quadratic reward: everything about it is known in closed form.
 * Index 0 is the step next to the action; kernel i leads from level i + 1 to level i.
 */
export interface LinearGaussian {
  /** Means are `gain[i] x + shift[i]`. */
  gain: number[];
  shift: number[];
  /** Logarithms of the learned kernels' variances. */
  logVariance: number[];
  /** Of the noising kernels N(decay[i] y, noise[i]). */
  decay: number[];
  noise: number[];
  temperature: number;
  priorStd: number;
  /** R(a) = -(a - goal)^2 / (2 width). */
  goal: number;
  width: number;
}

const deltas = [0.15, 0.3, 0.6, 0.9];

/** The chain whose soft return, -2.876875069662, was computed independently. */
export const oracle: LinearGaussian = {
  gain: [0.490371701674, 0.735383380237, 0.595964133238, 0.783136030877],
  shift: [0.15086436493, -0.521365368912, -0.584198410134, 0.404962898516],
  logVariance: [-1.586224470811, -0.918180922658, 0.347883374492, 0.395291287158],
  decay: deltas.map((delta) => 1 - delta / 2),
  noise: deltas.map((delta) => 1.3 ** 2 * delta),
  temperature: 0.25,
  priorStd: 1.3,
  goal: 0.8,
  width: 0.35,
};

/** Mean and variance of the chain's state at levels 0 ... K. */
export function marginals(chain: LinearGaussian): { mean: number; variance: number }[] {
  const levels = [{ mean: 0, variance: chain.priorStd ** 2 }];
  for (let i = chain.gain.length - 1; i >= 0; i--) {
    const { mean, variance } = levels[0]!;
    const gain = chain.gain[i]!;
    levels.unshift({
      mean: gain * mean + chain.shift[i]!,
      variance: gain ** 2 * variance + Math.exp(chain.logVariance[i]!),
    });
  }
  return levels;
}

/** E[R - T sum l], by the moments of the chain. */
export function softReturn(chain: LinearGaussian): number {
  const levels = marginals(chain);
  const end = levels[0]!;
  let total = -(end.variance + (end.mean - chain.goal) ** 2) / (2 * chain.width);
  chain.gain.forEach((gain, i) => {
    const { mean, variance } = levels[i + 1]!;
    const [decay, noise, own] = [chain.decay[i]!, chain.noise[i]!, Math.exp(chain.logVariance[i]!)];
    const residualMean = (1 - decay * gain) * mean - decay * chain.shift[i]!;
    const residualVariance = (1 - decay * gain) ** 2 * variance + decay ** 2 * own;
    total -= chain.temperature * logRatio(own, noise, residualVariance + residualMean ** 2);
  });
  return total;
}

/** Coefficients [c0, c1, c2] of the soft values U_j(x) = c0 + c1 x + c2 x^2 at levels 0 ... K. */
export function softValues(chain: LinearGaussian): [number, number, number][] {
  const { goal, width, temperature } = chain;
  const values: [number, number, number][] = [[-(goal ** 2) / (2 * width), goal / width, -1 / (2 * width)]];
  chain.gain.forEach((gain, i) => {
    const [c0, c1, c2] = values[i]!;
    const [shift, decay, noise, own] = [
      chain.shift[i]!,
      chain.decay[i]!,
      chain.noise[i]!,
      Math.exp(chain.logVariance[i]!),
    ];
    // x - decay y has mean p x + q given x, and variance decay^2 own.
    const [p, q] = [1 - decay * gain, -decay * shift];
    const price = temperature / (2 * noise);
    values.push([
      c0 + c1 * shift + c2 * (shift ** 2 + own) - temperature * logRatio(own, noise, decay ** 2 * own + q ** 2),
      c1 * gain + 2 * c2 * gain * shift - price * 2 * p * q,
      c2 * gain ** 2 - price * p ** 2,
    ]);
  });
  return values;
}

/** E log q - E log p for Gaussians of variances own and noise, the latter at a mean squared residual. */
function logRatio(own: number, noise: number, squaredResidual: number): number {
  return 0.5 * (-Math.log(2 * Math.PI * Math.E * own) + Math.log(2 * Math.PI * noise) + squaredResidual / noise);
}

/** Gradient of `f` by central differences. */
export function differences(f: (x: number[]) => number, x: number[], step = 1e-5): number[] {
  return x.map((_, i) => {
    const moved = (by: number) => f(x.map((value, j) => (i === j ? value + by : value)));
    return (moved(step) - moved(-step)) / (2 * step);
  });
}

/** Nodes and weights of Gauss-Hermite quadrature for N(0, 1): exact for polynomials up to degree 9. */
const HERMITE = [
  [0, 0.5333333333333333],
  [1.355626179974266, 0.2220759220056126],
  [-1.355626179974266, 0.2220759220056126],
  [2.856970013872806, 0.01125741132772069],
  [-2.856970013872806, 0.01125741132772069],
] as const;

/** All combinations of nodes in `dimensions` independent N(0, 1): rows of nodes, and their weights. */
export function gaussianGrid(dimensions: number): { nodes: number[][]; weights: number[] } {
  let grid = { nodes: [[]] as number[][], weights: [1] };
  for (let d = 0; d < dimensions; d++) {
    grid = {
      nodes: grid.nodes.flatMap((row) => HERMITE.map(([node]) => [...row, node])),
      weights: grid.weights.flatMap((weight) => HERMITE.map(([, factor]) => weight * factor)),
    };
  }
  return grid;
}
