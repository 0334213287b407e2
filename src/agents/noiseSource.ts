import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, show } from '../errors.js';
import { Rng } from '../rng/rng.js';
import type { StateArray } from '../state.js';

/** Standard normal numbers in the shape that `shapeOf(rows)` says. */
export type NoiseSource = (shapeOf: (rows: number) => number[], rows: number) => StateArray;

/** Noise from one stream, or for each row from a stream of its own. */
export function noiseSource(noise: Rng | readonly Rng[]): NoiseSource {
  return (shapeOf, rows) => {
    const shape = shapeOf(rows);
    if (noise instanceof Rng) return { shape, data: noise.normals(tf.util.sizeFromShape(shape)) };
    return { shape, data: rowByRow(noise, shapeOf(1), rowAxis(shapeOf)) };
  };
}

/** @throws ArgumentError unless there are `rows` streams */
export function requireStreams(where: string, noise: unknown, rows: number): readonly Rng[] {
  const isRight = Array.isArray(noise) && noise.length === rows && noise.every((stream) => stream instanceof Rng);
  if (isRight) return noise;
  throw new ArgumentError(
    `${where}: noise must be a list of ${rows} Rng, one for each observation, got ${show(noise)}.`,
  );
}

/** Each stream draws one row, of shape `row`; rows lie side by side along `axis`. */
function rowByRow(streams: readonly Rng[], row: readonly number[], axis: number): Float32Array {
  const block = tf.util.sizeFromShape(row.slice(axis));
  const blocks = tf.util.sizeFromShape(row.slice(0, axis));
  const data = new Float32Array(streams.length * blocks * block);
  streams.forEach((stream, r) => {
    const own = stream.normals(blocks * block);
    for (let b = 0; b < blocks; b++) {
      data.set(own.subarray(b * block, (b + 1) * block), (b * streams.length + r) * block);
    }
  });
  return data;
}

/** The axis along which rows lie. */
function rowAxis(shapeOf: (rows: number) => number[]): number {
  const [one, two] = [shapeOf(1), shapeOf(2)];
  return one.findIndex((extent, axis) => extent !== two[axis]);
}
