import * as tf from '@tensorflow/tfjs-core';
import type { StateDict, TypedArray } from '../state.js';
import { split } from './pieces.js';
import type { Variables } from './variables.js';

/** Places of named tensors one after the other in one vector. */
export class Layout {
  private readonly places: readonly { name: string; start: number; end: number; shape: number[] }[];

  constructor(like: Variables) {
    let end = 0;
    this.places = Object.entries(like).map(([name, { size, shape }]) => {
      const start = end;
      end += size;
      return { name, start, end, shape };
    });
  }

  /** How many tensors there are. */
  get count(): number {
    return this.places.length;
  }

  /** Length of the vector. */
  get size(): number {
    return this.places.at(-1)?.end ?? 0;
  }

  /** The tensors as one vector. */
  join(tensors: Readonly<Record<string, tf.Tensor>>): tf.Tensor1D {
    return tf.concat(this.places.map(({ name }) => tf.reshape<tf.Rank.R1>(tensors[name] as tf.Tensor, [-1])));
  }

  /** The tensors in a vector, still flat, in their order. */
  split(vector: tf.Tensor1D): tf.Tensor1D[] {
    return split(
      vector,
      this.places.map(({ start, end }) => end - start),
    );
  }

  /** The same, those of one size that follow each other as the rows of one matrix. */
  rows(vector: tf.Tensor1D): tf.Tensor2D[] {
    const sizes = this.places.map(({ start, end }) => end - start);
    const starts = sizes.flatMap((size, i) => (size === sizes[i - 1] ? [] : [i]));
    const counts = starts.map((start, i) => (starts[i + 1] ?? this.count) - start);
    const parts =
      counts.length === 1
        ? [vector]
        : tf.split(
            vector,
            counts.map((count, i) => count * sizes[starts[i]!]!),
          );
    return parts.map((part, i) => tf.reshape<tf.Rank.R2>(part, [counts[i]!, sizes[starts[i]!]!]));
  }

  /** Names, with `prefix/` before them, and sizes of the entries of a state. */
  entries(prefix: string): Record<string, number> {
    return Object.fromEntries(this.places.map(({ name, start, end }) => [`${prefix}/${name}`, end - start]));
  }

  /** The numbers of a vector as entries of a state. */
  toState(prefix: string, numbers: Float32Array): StateDict {
    const entryOf = ({ name, start, end, shape }: (typeof this.places)[number]) =>
      [`${prefix}/${name}`, { shape, data: numbers.slice(start, end) }] as const;
    return Object.fromEntries(this.places.map(entryOf));
  }

  /** The other way round. */
  fromState(prefix: string, entries: Readonly<Record<string, TypedArray>>): Float32Array {
    const numbers = new Float32Array(this.size);
    for (const { name, start } of this.places) numbers.set(entries[`${prefix}/${name}`]!, start);
    return numbers;
  }
}
