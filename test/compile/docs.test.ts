import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { withKernelTable } from '../../scripts/kernelTable.js';
import { EMITTERS, UNSUPPORTED } from '../../src/compile/kernels/index.js';

it('the documentation lists the kernels as they are (else run scripts/kernelTable.ts)', () => {
  const page = readFileSync(new URL('../../docs/compile.md', import.meta.url), 'utf8');
  expect(withKernelTable(page)).toBe(page);
});

it('every kernel of TensorFlow.js is either compiled or refused with a reason', () => {
  const names = Object.entries(tf).flatMap(([key, value]) => (value === key || `_${key}` === value ? [value] : []));
  expect(names.length).toBeGreaterThan(150);
  const known = new Set([...Object.keys(EMITTERS), ...Object.values(UNSUPPORTED).flat()]);
  expect(names.filter((name) => !known.has(name as string))).toEqual([]);
});
