/**
 * A sweep of 40 small runs of DIME with compiled updates, left alone and with 100 random interruptions (kill -9, SIGTERM, the
 * SIGUSR1 that announces a time limit, the sweep's own process among them): are all checkpoints equal, byte for byte?
 *
 *     npx tsx bench/interruptions.ts [--runs 40] [--interruptions 100] [--seed 0]
 *
 * Where some differ, both sweeps are kept.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stress } from '../test/runs/stress.js';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '40' },
    interruptions: { type: 'string', default: '100' },
    seed: { type: 'string', default: '0' },
  },
});
const content = {
  agents: ['dime'],
  envs: ['Pendulum'],
  envOptions: { maxEpisodeSteps: 50 },
  wrappers: ['normaliseObservation'],
  seeds: `0..${Number(values.runs) - 1}`,
  steps: 600,
  evaluationEvery: 100,
  evaluationEpisodes: 2,
  checkpointEvery: 50,
  options: {
    warmupSteps: 100,
    batchSize: 16,
    criticHidden: [32, 32],
    sampler: { steps: 2, network: { type: 'stepNetwork', hidden: [16, 16], timeSize: 16 } },
  },
  local: { jobs: 2 },
};
const folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
const start = performance.now();
const report = await stress(folder, content, {
  interruptions: Number(values.interruptions),
  pause: [500, 3000],
  seed: Number(values.seed),
});
const count = Object.values(report.interruptions).reduce((sum, value) => sum + value, 0);
console.log(
  `${report.runs} runs, ${count} interruptions ${JSON.stringify(report.interruptions)}, ${report.attempts} starts.`,
);
for (const line of report.differing) console.log(line);
console.log(
  `${report.differing.length} runs differ from the undisturbed sweep. ${((performance.now() - start) / 60_000).toFixed(0)} minutes.`,
);
if (report.differing.length) console.log(`Both sweeps are kept in ${folder}.`);
else await rm(folder, { recursive: true });
process.exit(report.differing.length ? 1 : 0);
