import type { RunFolder } from 'diffrl/node';
import { afterEach, expect, it, vi } from 'vitest';
import { liveView } from '../../src/cli/liveView.js';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('the view of runs lives through looks that fail, and tells of the end', async () => {
  vi.useFakeTimers();
  const lines = vi.spyOn(console, 'log').mockImplementation(() => {});
  const status = vi.fn(async () => ({ state: 'finished', step: 10, steps: 10, seconds: 1 }));
  status.mockRejectedValueOnce(new Error('no such file'));
  const view = liveView([{ path: '/a', status } as unknown as RunFolder]);
  await vi.advanceTimersByTimeAsync(1000); // what it rejects with, unhandled, would fail this file
  await view.end();
  await vi.advanceTimersByTimeAsync(5000);
  expect(status).toHaveBeenCalledTimes(2);
  expect(lines.mock.calls.flat().join()).toMatch(/\/a: 10 steps in .*100 % of all steps: 1\/1 complete/);
});

it('and ends even if its last look fails', async () => {
  vi.useFakeTimers();
  const status = vi.fn(async () => Promise.reject(new Error('no such file')));
  const view = liveView([{ path: '/a', status } as unknown as RunFolder]);
  await expect(view.end()).rejects.toThrow('no such file');
  await vi.advanceTimersByTimeAsync(5000);
  expect(status).toHaveBeenCalledTimes(1);
});
