import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

/**
 * Files that take more than two seconds each, for they train, or start browsers, workers, programs; and those that need modules
 * of their own: `npm run test:fast` leaves them out and loads modules once for all others.
 */
const SLOW = [
  ...['agents', 'cli', 'docs', 'examples', 'mujoco', 'node', 'playground', 'remote', 'runs', 'web'].map(
    (room) => `test/${room}/**`,
  ),
  ...[
    'checkpoint/checkpoint',
    'compile/kernels',
    'compile/gpu',
    'compile/browser',
    'compile/memory',
    'compile/missing',
    'training/dimeResume',
    'compile/properties',
    'diffusion/kernels',
    'diffusion/boundedChain',
    'diffusion/golden',
    'diffusion/ddpm',
  ],
  ...['objectives/memory', 'objectives/gaussianFits', 'objectives/rssm', 'objectives/quantile', 'ops/truncatedNormal'],
  ...['fuzz', 'fuzzExports', 'fuzzMethods', 'fuzzEntryPoints', 'stateful', 'package/bundle'],
].map((name) => (name.includes('*') ? name : `test/${name}.test.ts`));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^diffrl$/, replacement: source('index.ts') },
      { find: /^diffrl\/(\w+)$/, replacement: source('$1/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: process.env.FAST ? SLOW : [],
    isolate: !process.env.FAST,
    reporters: ['default', './scripts/closingLineReporter.ts'],
    setupFiles: ['test/setup.ts'],
    testTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
