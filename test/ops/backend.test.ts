import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, MissingPackageError, useBestBackend } from 'diffrl';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BACKEND_PACKAGES } from '../../src/ops/backend.js';

afterEach(async () => {
  vi.restoreAllMocks();
  await tf.setBackend('cpu');
});

describe('useBestBackend', () => {
  it('takes the best that works and says why others were not taken', async () => {
    const choice = await useBestBackend();
    expect(tf.getBackend()).toBe(choice.name);
    const order = [...choice.skipped.map((skip) => skip.package), choice.package];
    expect(order).toEqual(BACKEND_PACKAGES.slice(0, order.length));
    for (const { package: name, reason } of choice.skipped) {
      expect(reason).toMatch(/webg/.test(name) ? /^works in a page only$/ : /^not installed$|^cannot be loaded: ./);
    }
  });

  it('takes the package it is told to take', async () => {
    const choice = await useBestBackend(['@tensorflow/tfjs-backend-cpu']);
    expect(choice).toEqual({ name: 'cpu', package: '@tensorflow/tfjs-backend-cpu', skipped: [] });
  });

  it('skips a backend that computes a wrong gradient, and goes back to the one there was', async () => {
    const kernel = tf.getKernel('BatchMatMul', 'wasm');
    const wrong: tf.KernelFunc = ({ inputs, backend }) =>
      tf.getKernel('Identity', 'wasm').kernelFunc({ inputs: { x: inputs.b! }, backend, attrs: {} });
    tf.unregisterKernel('BatchMatMul', 'wasm');
    tf.registerKernel({ ...kernel, kernelFunc: wrong });
    const choice = useBestBackend(['@tensorflow/tfjs-backend-wasm']);
    await expect(choice).rejects.toThrow(MissingPackageError);
    await expect(choice).rejects.toThrow(/can train here(.|\n)*backend-wasm: \S/);
    expect(tf.getBackend()).toBe('cpu');
    tf.unregisterKernel('BatchMatMul', 'wasm');
    tf.registerKernel(kernel);
  });

  it('skips a backend that does not start', async () => {
    vi.spyOn(tf.engine(), 'setBackend').mockResolvedValueOnce(false);
    const choice = await useBestBackend(['@tensorflow/tfjs-backend-wasm', '@tensorflow/tfjs-backend-cpu']);
    expect(choice.name).toBe('cpu');
    expect(choice.skipped).toEqual([
      { package: '@tensorflow/tfjs-backend-wasm', reason: 'does not start on this machine' },
    ]);
  });

  it('stays quiet: no advice of the cpu backend, no listeners that print wasm code before an uncaught error', async () => {
    const warn = vi.spyOn(console, 'warn');
    await useBestBackend(['@tensorflow/tfjs-backend-wasm']);
    const texts = [...process.listeners('uncaughtException'), ...process.listeners('unhandledRejection')].map(String);
    expect(texts.filter((text) => /ExitStatus|throw reason/.test(text))).toEqual([]);
    await tf.setBackend('cpu');
    (tf.backend() as unknown as { firstUse: boolean }).firstUse = true;
    await useBestBackend(['@tensorflow/tfjs-backend-cpu']);
    tf.tensor1d([1]).dispose();
    expect(warn).not.toHaveBeenCalled();
  });

  it('says what to install when there is none, and refuses packages it does not know', async () => {
    await expect(useBestBackend([])).rejects.toThrow(/npm install @tensorflow\/tfjs-backend-wasm/);
    await expect(useBestBackend(['left-pad' as never])).rejects.toThrow(ArgumentError);
  });
});
