import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, TemperatureControl } from 'diffrl';
import { expect, it } from 'vitest';

const read = (control: TemperatureControl) => tf.tidy(() => control.value().dataSync()[0]!);

it('a fixed temperature stays, 0 included', () => {
  for (const value of [0, 0.25]) {
    const control = new TemperatureControl(value, 3);
    control.at(1e6);
    tf.tidy(() => control.step(tf.scalar(-100)));
    expect(read(control)).toBe(value);
    control.dispose();
  }
});

it('an annealed temperature follows the environment steps only', () => {
  const control = new TemperatureControl({ anneal: { from: 1, to: 0, duration: 100 } }, 3);
  tf.tidy(() => control.step(tf.scalar(-100)));
  expect(read(control)).toBe(1);
  control.at(75);
  expect(read(control)).toBe(0.25);
});

it('an automatic temperature rises where the path cost is above minus the target entropy and falls below it', () => {
  const control = new TemperatureControl({ automatic: { initial: 0.1, targetEntropy: -2, learningRate: 0.01 } }, 3);
  tf.tidy(() => control.step(tf.scalar(6.1)));
  const risen = read(control);
  expect(risen).toBeCloseTo(0.1 * Math.exp(0.01), 5);
  for (let i = 0; i < 30; i++) tf.tidy(() => control.step(tf.scalar(5.9)));
  expect(read(control)).toBeLessThan(risen);
});

it('is restored from its state and leaks nothing', async () => {
  const before = tf.memory().numTensors;
  for (const setting of [0.3, { anneal: { from: 1, to: 0, duration: 10 } }, { automatic: {} }]) {
    const [control, twin] = [new TemperatureControl(setting, 2), new TemperatureControl(setting, 2)];
    control.at(3);
    tf.tidy(() => control.step(tf.scalar(5)));
    twin.prepare(await control.state())();
    expect(read(twin)).toBe(read(control));
    control.dispose();
    twin.dispose();
  }
  expect(tf.memory().numTensors).toBe(before);
});

it('refuses a negative temperature', () => {
  expect(() => new TemperatureControl(-1, 2)).toThrow(ArgumentError);
});
