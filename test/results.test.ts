import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { reports } from '../bench/report.js';

describe('the record of runs', () => {
  it('is what tables and figures show (repair: npx tsx bench/report.ts)', () => {
    const stale = [...reports()].filter(([path, text]) => !existsSync(path) || readFileSync(path, 'utf8') !== text);
    expect(stale.map(([path]) => path)).toEqual([]);
  });
});
