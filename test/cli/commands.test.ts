/** Commands, called in this process: what they make of runs that fail, and of what cannot be exported. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NormaliseObservation, Pendulum } from 'diffrl';
import { createRun, executeRun, findRuns, type RunSettings } from 'diffrl/node';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { momentsOf } from '../../src/cli/commands/export.js';
import { evaluateRuns } from '../../src/cli/evaluate.js';
import { trainRuns } from '../../src/cli/train.js';

const tiny = fileURLToPath(new URL('../runs/tiny.ts', import.meta.url));
const settings: RunSettings = {
  ...{ agent: `${tiny}#makeTiny`, env: `${tiny}#makeMore`, steps: 60 },
  ...{ evaluationEvery: 60, evaluationEpisodes: 1 },
};

let folder: string;
let printed: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
  printed = [];
  for (const name of ['log', 'error'] as const) {
    vi.spyOn(console, name).mockImplementation((line) => void printed.push(line));
  }
});
afterEach(async () => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  await rm(folder, { recursive: true });
});

it('evaluate prints the results of all runs that it could evaluate', async () => {
  const runs = [0, 1, 2].map((seed) => createRun('test', folder, { ...settings, seed }));
  const [first, , last] = await Promise.all(runs);
  for (const run of [first!, last!]) await executeRun(run);
  await evaluateRuns([folder], { episodes: 1, seed: 0, checkpoint: 'best' });
  expect(printed.join('\n')).toMatch(
    /__1__.*error: loadRun: .* has no checkpoint 'best'[\s\S]*__0__.* 60 .*\n.*__2__.* 60 /,
  );
  expect(process.exitCode).toBe(1);
}, 60_000);

it('train goes on with the next seed where one fails', async () => {
  await trainRuns({ ...settings, env: `${tiny}#makeBroken` }, [0, 1], { runs: folder, jobs: 1 });
  expect(printed.filter((line) => /it broke at step 30/.test(line))).toHaveLength(2);
  const states = await Promise.all((await findRuns(folder)).map(async (run) => (await run.status()).state));
  expect(states).toEqual(['failed', 'failed']);
  expect(process.exitCode).toBe(1);
}, 60_000);

it('export takes the moments of one normaliser, and refuses two', async () => {
  const once = new NormaliseObservation(new Pendulum());
  const run = (evaluation: object) =>
    ({ environments: { evaluation }, config: { task: { id: 'Pendulum-v1' } } }) as never;
  expect(await momentsOf(run(once))).toBe(once.moments);
  await expect(momentsOf(run(new NormaliseObservation(once)))).rejects.toThrow(/Pendulum-v1 was normalised twice/);
});
