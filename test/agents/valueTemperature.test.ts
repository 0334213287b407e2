import * as tf from '@tensorflow/tfjs-core';
import { linearDecay, ValueTemperature } from 'diffrl';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../close.js';

describe('ValueTemperature', () => {
  // Published values after 100, 200, 300, 400, 600 and 800 steps of one every 250 updates, to their last digit.
  it.each([
    [0.9, [2.632, 1.653, 1.243, 1.075, 0.991, 0.984], 0.98378],
    [1.5, [2.587, 1.514, 1.012, 0.767, 0.587, 0.547], 0.53991],
  ])('entropy scale %f: the released trajectory and its fixed point', (entropyScale, published, fixedPoint) => {
    const level = new ValueTemperature({ entropyScale });
    expect(level.value).toBeCloseTo(5, 10);
    const values: number[] = [];
    for (let update = 1; update <= 200_000; update++) {
      level.advance();
      if ([100, 200, 300, 400, 600, 800].some((steps) => update === steps * 250)) values.push(level.value);
    }
    expectClose(values, published, 5.5e-4);
    for (let update = 0; update < 400_000; update++) level.advance();
    expect(level.value).toBeCloseTo(fixedPoint, 4);
  });

  it('takes its first step at the first update, the next 250 later; stays where it is at rate 0', () => {
    const level = new ValueTemperature();
    const changes: number[] = [];
    for (let update = 0, before = level.value; update < 600; update++, before = level.value) {
      level.advance();
      if (level.value !== before) changes.push(update);
    }
    expect(changes).toEqual([0, 250, 500]);
    const still = new ValueTemperature({ initial: 0.3, learningRate: 0 });
    still.advance();
    expect(still.value).toBeCloseTo(0.3, 12);
  });

  it('goes on from its state bit for bit, and refuses bad options', () => {
    const level = new ValueTemperature({ every: 3 });
    for (let i = 0; i < 10; i++) level.advance();
    const copy = new ValueTemperature({ every: 3 });
    copy.prepare(level.state())();
    for (const each of [level, copy]) for (let i = 0; i < 20; i++) each.advance();
    expect(copy.value).toBe(level.value);
    expect(() => new ValueTemperature({ initial: 0 })).toThrow(
      'ValueTemperature: initial must be a number > 0, got 0.',
    );
    expect(() => new ValueTemperature({ every: 0 })).toThrow('every must be an integer >= 1');
  });
});

it('linearDecay holds, falls and stays', () => {
  const rate = linearDecay({ from: 3e-4, to: 3e-5, hold: 100, over: 200 });
  const at = (step: number) => rate(tf.scalar(step)).dataSync()[0]!;
  expectClose([0, 100, 200, 300, 1000].map(at), [3e-4, 3e-4, 1.65e-4, 3e-5, 3e-5], 1e-9);
  expect(() => linearDecay({ from: 1, to: 0, over: 0 })).toThrow('linearDecay: over must be a number > 0, got 0.');
});
