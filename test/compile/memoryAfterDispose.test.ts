import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/** What glibc keeps for itself of freed memory would hide what is freed. */
const plain = { MALLOC_MMAP_THRESHOLD_: '131072' };
const [tsx, program] = ['../../scripts/registerTsx.mjs', './memoryAfterDispose.ts'].map((file) =>
  fileURLToPath(new URL(file, import.meta.url)),
);

/** Parameters and Adam's moments are 26 MiB; sessions hold as much again several times over. */
it.runIf(process.platform === 'linux').each(['worker', 'here'])(
  'an agent gives its memory back when it is disposed of (engine: %s)',
  (where) => {
    const output = execFileSync(process.execPath, ['--expose-gc', '--import', tsx!, program!, where], {
      ...{ env: { ...process.env, ...plain }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    });
    const rounds = [...output.matchAll(/^(\d+) (\d+)$/gm)].map(([, alive, after]) => [Number(alive), Number(after)]);
    expect(rounds.length).toBe(3);
    for (const [alive, after] of rounds) expect(alive! - after!, output).toBeGreaterThan(40);
    expect(rounds[2]![1]! - rounds[0]![1]!, output).toBeLessThan(30);
  },
);
