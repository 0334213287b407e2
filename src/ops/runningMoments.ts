import * as tf from '@tensorflow/tfjs-core';
import { requireFinite, requireInteger, requireList, ShapeError } from '../errors.js';
import { asCount, readEntries, type StateDict, type Stateful, stateArray } from '../state.js';

/** Variances below this count as this, so that a constant entry is not blown up. */
const MIN_VARIANCE = 1e-8;
/** Largest normalised entry. */
const LIMIT = 10;

/** Mean and variance, entry by entry, of all rows seen so far (merged batch by batch, Chan et al. 1979). */
export class RunningMoments implements Stateful {
  /** `[size]` */
  readonly mean: Float64Array;
  /** Sums of squared deviations from the mean. */
  private readonly squares: Float64Array;
  private count = 0;

  constructor(private readonly size: number) {
    requireInteger('RunningMoments', 'size', size, { min: 1, max: 2 ** 30 });
    this.mean = new Float64Array(size);
    this.squares = new Float64Array(size);
  }

  /** Takes in rows `[N, size]`. @throws ShapeError, NonFiniteError for anything else; nothing was taken in then */
  add(rows: ArrayLike<number>): void {
    this.requireRows('add', rows);
    const added = rows.length / this.size;
    const total = this.count + added;
    for (let i = 0; i < this.size; i++) {
      let mean = 0;
      for (let row = i; row < rows.length; row += this.size) mean += (rows[row] as number) / added;
      let squares = 0;
      for (let row = i; row < rows.length; row += this.size) squares += ((rows[row] as number) - mean) ** 2;
      const shift = mean - (this.mean[i] as number);
      this.mean[i] = (this.mean[i] as number) + (shift * added) / total;
      this.squares[i] = (this.squares[i] as number) + squares + (shift ** 2 * this.count * added) / total;
    }
    this.count = total;
  }

  /** Standard deviation of entry `i`; 1 until two rows have been seen. */
  std(i: number): number {
    requireInteger('RunningMoments.std', 'i', i, { min: 0, below: this.size });
    return this.count < 2 ? 1 : Math.sqrt(Math.max((this.squares[i] as number) / this.count, MIN_VARIANCE));
  }

  /** Rows less the mean, over the standard deviation, clipped to [-10, 10]. @throws as {@link add} */
  normalise(rows: ArrayLike<number>): Float32Array {
    this.requireRows('normalise', rows);
    const stds = this.stds();
    return Float32Array.from(rows, (value, row) => {
      const i = row % this.size;
      const scaled = (value - (this.mean[i] as number)) / (stds[i] as number);
      return Math.min(Math.max(scaled, -LIMIT), LIMIT);
    });
  }

  /** {@link normalise} with the moments of now, as a function of tensors `[B, size]`. */
  asProgram(): (rows: tf.Tensor2D) => tf.Tensor2D {
    const [mean, std] = [Float32Array.from(this.mean), Float32Array.from(this.stds())];
    return (rows) => {
      const scaled: tf.Tensor2D = tf.div(tf.sub(rows, tf.tensor1d(mean)), tf.tensor1d(std));
      return tf.clipByValue(scaled, -LIMIT, LIMIT);
    };
  }

  private requireRows(method: string, rows: ArrayLike<number>): void {
    const where = `RunningMoments.${method}`;
    requireList(where, 'rows', rows);
    if (rows.length === 0 || rows.length % this.size !== 0) {
      throw new ShapeError(`${where}: rows must hold rows of ${this.size} numbers, got ${rows.length}.`);
    }
    requireFinite(where, 'rows', rows);
  }

  private stds(): number[] {
    return Array.from({ length: this.size }, (_, i) => this.std(i));
  }

  state(): StateDict {
    return {
      mean: stateArray(this.mean.slice()),
      squares: stateArray(this.squares.slice()),
      count: stateArray(this.count),
    };
  }

  prepare(state: StateDict): () => void {
    const { mean, squares, count } = readEntries(state, { mean: this.size, squares: this.size, count: 1 });
    const rows = asCount(count, 'count');
    return () => {
      this.mean.set(mean);
      this.squares.set(squares);
      this.count = rows;
    };
  }
}
