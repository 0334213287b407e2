import { existsSync, readFileSync } from 'node:fs';
import { palette } from 'diffrl';
import { describe, expect, it } from 'vitest';
import { columnsOf, reports } from '../bench/report.js';
import { agents, type Group } from '../bench/results.js';

describe('the record of runs', () => {
  it('is what tables and figures show (repair: npx tsx bench/report.ts)', () => {
    const stale = [...reports()].filter(([path, text]) => !existsSync(path) || readFileSync(path, 'utf8') !== text);
    expect(stale.map(([path]) => path)).toEqual([]);
  });

  it('has a colour for every agent', () => {
    expect(new Set(palette).size).toBe(palette.length);
    expect(agents.length).toBeLessThanOrEqual(palette.length);
  });

  it('shows runs of unequal length at the steps that all have', () => {
    const until = (last: number) => {
      const evaluations = Array.from({ length: last / 10 }, (_, i) => ({ step: 10 * (i + 1), mean: 1 }));
      return { agent: 'dime', task: 'Pendulum-v1', runs: [{ evaluations }] } as unknown as Group;
    };
    expect(columnsOf([until(50), until(100)])).toEqual([10, 20, 30, 40, 50]);
    expect(columnsOf([until(100), until(100)])).toEqual([20, 40, 60, 80, 100]);
  });
});
