import { ArgumentError, requireInteger, requireList, requireNamed } from '../errors.js';

/** A mixture of normal distributions with full covariances. */
export interface GaussianMixture {
  /** Summing to 1. */
  weights: number[];
  /** `[components][size]` */
  means: number[][];
  /** Cholesky factors L of the covariances L L', row by row: `[components][size * size]`. */
  factors: Float64Array[];
}

const ITERATIONS = 100;
/** Fitting stops where an iteration adds less than this to the mean log-likelihood. */
const TOLERANCE = 1e-3;
/** Added to variances, so that equal samples have a density. */
const MIN_VARIANCE = 1e-6;

/**
 * Fits a mixture to samples by expectation maximisation from k-means, until an iteration gains less than 1e-3.
 *
 * @param samples `[N * size]`, N at least `components`
 * @throws ArgumentError for fewer samples, or a length that is no multiple of `size`
 */
export function fitGaussianMixture(samples: Float32Array, size: number, components = 3): GaussianMixture {
  requireInteger('fitGaussianMixture', 'size', size, { min: 1 });
  requireInteger('fitGaussianMixture', 'components', components, { min: 1 });
  const count = samples.length / size;
  if (!Number.isInteger(count) || count < components) {
    throw new ArgumentError(
      `fitGaussianMixture: samples must be ${components} or more rows of ${size}, got ${samples.length} numbers.`,
    );
  }
  const rows = Array.from({ length: count }, (_, i) => samples.subarray(i * size, (i + 1) * size));
  let mixture = maximise(rows, nearestCentre(rows, components), components);
  for (let i = 0, before = -Infinity; i < ITERATIONS; i++) {
    const { shares, logLikelihood } = expect(rows, mixture);
    mixture = maximise(rows, shares, components);
    if (Math.abs(logLikelihood - before) < TOLERANCE) break;
    before = logLikelihood;
  }
  return mixture;
}

/** An upper bound of the mixture's entropy, in nats: that of the choice of a component and the mean of theirs. */
export function mixtureEntropyBound(mixture: GaussianMixture): number {
  const { weights, means, factors } = requireNamed('mixtureEntropyBound', mixture, 'mixture');
  for (const [name, list] of Object.entries({ weights, means, factors }))
    requireList('mixtureEntropyBound', name, list);
  const size = (means[0] as number[]).length;
  const own = (factor: Float64Array) => 0.5 * size * Math.log(2 * Math.PI * Math.E) + logDeterminant(factor, size);
  return weights.reduce(
    (sum, weight, k) => sum + weight * (own(factors[k] as Float64Array) - Math.log(Math.max(weight, 1e-300))),
    0,
  );
}

/** Every row's share of each component, and the mean log-likelihood. */
function expect(rows: readonly Float32Array[], { weights, means, factors }: GaussianMixture) {
  const size = (means[0] as number[]).length;
  const constants = factors.map((factor, k) => Math.log(weights[k] as number) - logDeterminant(factor, size));
  let total = 0;
  const shares = rows.map((row) => {
    const logs = factors.map((factor, k) => {
      return (constants[k] as number) - 0.5 * squaredDistance(row, means[k] as number[], factor);
    });
    const top = Math.max(...logs);
    const densities = logs.map((log) => Math.exp(log - top));
    const sum = densities.reduce((a, b) => a + b);
    total += top + Math.log(sum);
    return densities.map((density) => density / sum);
  });
  return { shares, logLikelihood: total / rows.length - 0.5 * size * Math.log(2 * Math.PI) };
}

/** The mixture of largest likelihood, given every row's share of each component. */
function maximise(rows: readonly Float32Array[], shares: readonly number[][], components: number): GaussianMixture {
  const size = (rows[0] as Float32Array).length;
  const mixture: GaussianMixture = { weights: [], means: [], factors: [] };
  for (let k = 0; k < components; k++) {
    const share = (i: number) => (shares[i] as number[])[k] as number;
    const mass = rows.reduce((sum, _, i) => sum + share(i), Number.EPSILON);
    const mean = Array.from(
      { length: size },
      (_, a) => rows.reduce((sum, row, i) => sum + share(i) * row[a]!, 0) / mass,
    );
    const covariance = new Float64Array(size * size);
    rows.forEach((row, i) => {
      for (let a = 0; a < size; a++) {
        const scaled = (share(i) / mass) * (row[a]! - mean[a]!);
        for (let b = 0; b <= a; b++) covariance[a * size + b]! += scaled * (row[b]! - mean[b]!);
      }
    });
    for (let a = 0; a < size; a++) covariance[a * size + a]! += MIN_VARIANCE;
    mixture.weights.push(mass / rows.length);
    mixture.means.push(mean);
    mixture.factors.push(cholesky(covariance, size));
  }
  return mixture;
}

/** K-means from centres far apart: 1 for the component nearest to a row, 0 for the others. */
function nearestCentre(rows: readonly Float32Array[], components: number): number[][] {
  const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0);
  const centres: ArrayLike<number>[] = [rows[0] as Float32Array];
  while (centres.length < components) {
    const gaps = rows.map((row) => Math.min(...centres.map((centre) => distance(row, centre))));
    centres.push(rows[gaps.indexOf(Math.max(...gaps))] as Float32Array);
  }
  let nearest: number[] = [];
  for (let i = 0; i < 10; i++) {
    nearest = rows.map((row) => {
      const gaps = centres.map((centre) => distance(row, centre));
      return gaps.indexOf(Math.min(...gaps));
    });
    centres.forEach((_, k) => {
      const own = rows.filter((_, row) => nearest[row] === k);
      if (own.length) {
        centres[k] = Array.from(own[0]!, (_, a) => own.reduce((sum, row) => sum + row[a]!, 0) / own.length);
      }
    });
  }
  return nearest.map((own) => centres.map((_, k) => (k === own ? 1 : 0)));
}

/** The lower factor of a positive definite matrix, of which the lower half is read. */
function cholesky(matrix: Float64Array, size: number): Float64Array {
  const factor = new Float64Array(size * size);
  for (let a = 0; a < size; a++) {
    for (let b = 0; b <= a; b++) {
      let rest = matrix[a * size + b]!;
      for (let c = 0; c < b; c++) rest -= factor[a * size + c]! * factor[b * size + c]!;
      factor[a * size + b] = a === b ? Math.sqrt(Math.max(rest, MIN_VARIANCE * 1e-3)) : rest / factor[b * size + b]!;
    }
  }
  return factor;
}

/** Of the factor: half that of its matrix. */
function logDeterminant(factor: Float64Array, size: number): number {
  return Array.from({ length: size }, (_, a) => Math.log(factor[a * size + a]!)).reduce((a, b) => a + b);
}

/** Of a row from the mean, in standard deviations. */
function squaredDistance(row: Float32Array, mean: readonly number[], factor: Float64Array): number {
  const size = mean.length;
  const whitened = new Float64Array(size);
  let sum = 0;
  for (let a = 0; a < size; a++) {
    let rest = row[a]! - mean[a]!;
    for (let b = 0; b < a; b++) rest -= factor[a * size + b]! * whitened[b]!;
    whitened[a] = rest / factor[a * size + a]!;
    sum += whitened[a]! ** 2;
  }
  return sum;
}
