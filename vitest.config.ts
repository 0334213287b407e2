import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

/**
 * Files that take more than two seconds each, for they train, or start browsers, workers, programs; and those that need modules
 * of their own. All others load modules once: `npm run test:fast` runs only these.
 */
const SLOW = [
  ...['agents', 'cli', 'docs', 'examples', 'mujoco', 'node', 'playground', 'remote', 'runs', 'web'].map(
    (room) => `${room}/**/*`,
  ),
  ...[
    'checkpoint/checkpoint',
    'compile/kernels',
    'compile/gpu',
    'compile/browser',
    'compile/memory*',
    'compile/worker*',
    'compile/missing',
    'training/dimeResume',
    'compile/properties',
    'diffusion/kernels',
    'diffusion/boundedChain',
    'diffusion/golden',
    'diffusion/ddpm',
    'diffusion/flow',
  ],
  ...[
    'objectives/memory',
    'objectives/gaussianFits',
    'objectives/rssm',
    'objectives/quantile',
    'ops/truncatedNormal',
    'plots/microscope',
  ],
  ...['fuzz', 'fuzzExports', 'fuzzMethods', 'fuzzEntryPoints', 'stateful', 'package/bundle'],
];

const testsOf = (name: string) => `test/${name}.test.ts`;

export default defineConfig({
  resolve: {
    alias: [
      { find: /^diffrl$/, replacement: source('index.ts') },
      { find: /^diffrl\/(\w+)$/, replacement: source('$1/index.ts') },
    ],
  },
  test: {
    reporters: ['default', './scripts/closingLineReporter.ts'],
    setupFiles: ['test/setup.ts'],
    testTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'slow', include: SLOW.map(testsOf) } },
      {
        extends: true,
        test: { name: 'fast', include: ['test/**/*.test.ts'], exclude: SLOW.map(testsOf), isolate: false },
      },
    ],
  },
});
