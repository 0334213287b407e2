import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, moveTowards, Rng } from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatRows } from '../../src/ops/repeatRows.js';
import { RunningMean } from '../../src/ops/runningMean.js';
import { truncatedNormal } from '../../src/ops/truncatedNormal.js';
import { expectClose } from '../close.js';

const draw = (lower: number, upper: number, uniform: number[]) =>
  truncatedNormal(tf.scalar(lower), tf.scalar(upper), tf.tensor1d(uniform)).dataSync();

describe('truncatedNormal', () => {
  // Points with a share 1e-6, 0.01, 0.3, 0.5, 0.9, 0.9999 of the mass below them (above, where the bounds' centre is
  // negative), by bisection with 60 digits.
  const shares = [1e-6, 0.01, 0.3, 0.5, 0.9, 0.9999];
  const published: [string, number, number, number[]][] = [
    ['no bounds', -Infinity, Infinity, [-4.7534243, -2.3263479, -0.5244005, 0, 1.2815514, 3.7189746]],
    ['middle', -1, 1, [-0.9999972, -0.9721734, -0.3492199, 0, 0.7490146, 0.9997179]],
    ['mirrored', -3, 0.5, [0.499998, 0.4804924, -0.0390414, -0.3950414, -1.4731064, -2.9847781]],
    ['half line', 2, Infinity, [2.0000004, 2.0042316, 2.1462858, 2.2776048, 2.8372759, 4.5844981]],
    ['tail', 5, 5.5, [5.0000002, 5.0018085, 5.0630018, 5.1199349, 5.3428202, 5.4997516]],
    ['far tail', 13.5, 60, [13.5000001, 13.5007404, 13.5262525, 13.5509718, 13.6685994, 14.1624685]],
    ['further', 20, Infinity, [20, 20.0005013, 20.0177816, 20.0345417, 20.1145173, 20.4542331]],
    ['100 deviations', 100, 300, [100, 100.0001005, 100.0035663, 100.0069305, 100.0230209, 100.0920502]],
    ['lower tail', -Infinity, -9, [-9.0000001, -9.0011033, -9.0390755, -9.0757871, -9.2494183, -9.961011]],
  ];

  it.each(published)('%s: quantiles to 2e-5 (and float precision)', (_, lower, upper, expected) => {
    expectClose(draw(lower, upper, shares), expected, Math.max(2e-5, 3e-7 * Math.abs(lower)) * (upper > 90 ? 1.5 : 1));
  });

  it.each([
    ['narrow', 1.2, 1.2046, [1.2, 1.20004587, 1.20137733, 1.20229678, 1.20413879, 1.20459947]],
    ['narrow around 0', -0.002, 0.0026, [-0.002, -0.001954, -0.00062, 0.0003, 0.00214, 0.00259954]],
    ['narrow in the tail', 3.9, 3.95, [3.90000014, 3.90045459, 3.91399848, 3.92377567, 3.94453395, 3.94999452]],
  ] as const)('%s: quantiles to 3e-4 of the width', (_, lower, upper, expected) => {
    expectClose(draw(lower, upper, shares), expected, 3e-4 * (upper - lower));
  });

  it('stays within its bounds and is monotone, whatever they are', () => {
    const bound = fc.double({ min: -60, max: 60, noNaN: true });
    const width = fc.oneof(fc.double({ min: 1e-3, max: 1, noNaN: true }), fc.double({ min: 1, max: 400, noNaN: true }));
    fc.assert(
      fc.property(bound, width, (lower, width) => {
        const [low, high] = [Math.fround(lower), Math.fround(lower + width)];
        const values = draw(low, high, [0, 1e-7, 0.1, 0.4, 0.6, 0.9, 1]);
        for (const value of values) expect(value >= low && value <= high).toBe(true);
        const rising = [...values].every((value, i) => i === 0 || value >= values[i - 1]! - 1e-6 * Math.abs(value));
        const falling = [...values].every((value, i) => i === 0 || value <= values[i - 1]! + 1e-6 * Math.abs(value));
        expect(rising || falling).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('broadcasts its bounds and keeps no tensors', () => {
    const [lower, upper, uniform] = [
      tf.tensor3d([-1, 2], [1, 1, 2]),
      tf.tensor3d([1, 3], [1, 1, 2]),
      tf.tensor3d(Rng.fromSeed(1).uniforms(24), [3, 4, 2]),
    ];
    const before = tf.memory().numTensors;
    const values = tf.tidy(() => truncatedNormal(lower, upper, uniform));
    expect(values.shape).toEqual([3, 4, 2]);
    expect(tf.memory().numTensors).toBe(before + 1);
  });
});

it('moveTowards goes the given share of the way', () => {
  const targets = { a: tf.variable(tf.tensor1d([1, 2])) };
  const sources = { a: tf.variable(tf.tensor1d([3, -2])), unused: tf.variable(tf.scalar(1)) };
  const before = tf.memory().numTensors;
  moveTowards(targets, sources, 0.25);
  expectClose(targets.a, [1.5, 1], 1e-7);
  moveTowards(targets, sources, 1);
  expectClose(targets.a, [3, -2], 0);
  expect(tf.memory().numTensors).toBe(before);
});

it('RunningMean starts at its first value and follows the rest', () => {
  const average = new RunningMean(0.5);
  const values = [4, 8, 1].map((value) => average.track(tf.scalar(value)).dataSync()[0]!);
  expectClose(values, [4, (4 + 2 * 8) / 3, (4 + 2 * 8 + 4 * 1) / 7], 1e-6);
  expect(() => new RunningMean(0)).toThrow(ArgumentError);
});

it('repeatRows keeps copies of a row together', () => {
  const rows = tf.tensor2d([
    [1, 2],
    [3, 4],
  ]);
  expectClose(repeatRows(rows, 2), [1, 2, 1, 2, 3, 4, 3, 4], 0);
});
