import type * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/** Fails with the entry's number unless all entries agree to `tolerance`, absolutely. */
export function expectClose(got: ArrayLike<number> | tf.Tensor, expected: ArrayLike<number>, tolerance: number): void {
  const values = 'dataSync' in got ? got.dataSync() : got;
  expect(values.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(values[i]! - expected[i]!);
    expect(difference, `entry ${i}: ${values[i]} for ${expected[i]}`).toBeLessThanOrEqual(tolerance);
  }
}
