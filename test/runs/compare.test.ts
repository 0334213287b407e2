/** Which runs belong together, and what groups of them are called. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunFolder, type RunSettings, type RunState } from 'diffrl/node';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { groupRuns, improvements, scoresOf } from '../../src/runs/compare.js';
import { completeSettings } from '../../src/runs/settings.js';

let folder: string;
let count = 0;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A run as if it had been trained: its returns by the step of their evaluation. */
async function runOf(
  given: Partial<RunSettings>,
  returns: Record<number, number>,
  state: RunState = 'finished',
): Promise<RunFolder> {
  const settings = completeSettings({ agent: 'dime', env: 'Pendulum', ...given });
  const task = { id: settings.env, observationSize: 3, actionSize: 1 };
  const run = await RunFolder.createAt(join(folder, `${count++}`), settings, {
    resolved: { options: {}, envs: 1, sources: [] },
    task,
  });
  const rows = Object.entries(returns).map(([step, value]) => `${step},${value},0\n`);
  await writeFile(run.file('evaluations.csv'), `step,return,std\n${rows.join('')}`);
  await run.writeStatus({ ...(await run.status()), state });
  return run;
}

it('runs that are longer, or looked at more often, belong to the others, up to the end of the shortest', async () => {
  const runs = [
    await runOf({ seed: 0, steps: 20_000 }, { 10000: 1, 20000: 2 }),
    await runOf({ seed: 1, steps: 40_000 }, { 20000: 3, 40000: 50 }),
    await runOf({ seed: 2, steps: 20_000, evaluationEvery: 5000, logEvery: 1 }, { 15000: 9, 20000: 4 }),
  ];
  const groups = await groupRuns([...runs, runs[0]!]);
  expect(groups.map(({ label, seeds }) => [label, seeds])).toEqual([['dime', [0, 1, 2]]]);
  expect(scoresOf(groups)[0]!.scores).toEqual([2, 3, 4]);
});

it('runs that failed or are under way are compared at the step that all have reached', async () => {
  const groups = await groupRuns([
    await runOf({ seed: 0, steps: 300 }, { 100: 1, 200: 2, 300: 3 }),
    await runOf({ seed: 1, steps: 300 }, { 100: 5, 200: 6, 300: 7 }),
    await runOf({ seed: 2, steps: 300 }, { 100: 8 }, 'failed'),
  ]);
  expect(scoresOf(groups)[0]).toMatchObject({ scores: [1, 5, 8], step: 100 });
  const stopped = await groupRuns([await runOf({ steps: 300 }, { 100: 1, 200: 2 })]);
  expect(scoresOf(stopped)[0]).toMatchObject({ scores: [2], step: 200 });
});

it('a seed counts once: in its furthest run, the newest of those', async () => {
  const runs = [
    await runOf({ seed: 0 }, { 100: 1 }, 'interrupted'),
    await runOf({ seed: 0 }, { 100: 1, 200: 2 }),
    await runOf({ seed: 1 }, { 100: 3, 200: 4 }),
    await runOf({ seed: 0 }, { 100: 5, 200: 6 }),
  ];
  const config = await runs[3]!.config();
  await writeFile(runs[3]!.file('config.json'), JSON.stringify({ ...config, created: '2099-01-01T00:00:00.000Z' }));
  const groups = await groupRuns(runs);
  expect(groups).toMatchObject([{ seeds: [1, 0], leftOut: [runs[0]!.path, runs[1]!.path] }]);
  expect(scoresOf(groups)[0]!.scores).toEqual([4, 6]);
});

it('a label tells every setting that distinguishes a group', async () => {
  const differing: Partial<RunSettings>[] = [
    { wrappers: ['normaliseObservation', { frameStack: 2 }] },
    { envOptions: { maxEpisodeSteps: 9 } },
    { envs: 4 },
    { evaluationEpisodes: 3 },
    { options: { sampler: { steps: 2 } } },
    {},
  ];
  const runs = await Promise.all(differing.map((given) => runOf(given, { 100: 1 })));
  const labels = (await groupRuns(runs)).map(({ label }) => label);
  expect(new Set(labels).size).toBe(runs.length);
  expect(labels[0]).toContain('wrappers [normaliseObservation,{frameStack:2}]');
  expect(labels[1]).toContain('envOptions.maxEpisodeSteps 9');
  expect(labels[4]).toContain('sampler.steps 2');

  const modules = ['/a.ts#make', '/b.ts#make'];
  const same = await Promise.all(modules.map((agent) => runOf({ agent }, { 100: 1 })));
  expect((await groupRuns(same)).map(({ label }) => label)).toEqual(modules.map((agent) => `make, agent ${agent}`));
});

it('options in another order are no other options', async () => {
  const runs = [await runOf({ options: { a: 1, b: 2 } }, { 9: 1 }), await runOf({ options: { b: 2, a: 1 } }, { 9: 1 })];
  expect(await groupRuns(runs)).toHaveLength(1);
});

it('improvements compare each variant with each other one, over the tasks that both have', async () => {
  const given: [Partial<RunSettings>, number][] = [
    [{ env: 'Pendulum' }, 1],
    [{ env: 'Pendulum', wrappers: ['normaliseObservation'] }, 5],
    [{ env: 'Pendulum', agent: 'sac' }, 3],
    [{ env: 'Hopper-v5' }, 1],
    [{ env: 'Hopper-v5', agent: 'sac' }, 3],
  ];
  const runs = await Promise.all(
    given.flatMap(([settings, value]) => [0, 1].map((seed) => runOf({ ...settings, seed }, { 9: value }))),
  );
  const found = improvements(scoresOf(await groupRuns(runs)));
  const shown = found.map(({ first, second, tasks, probability }) => [first, second, tasks, probability.estimate]);
  const [plain, wrapped] = ['dime, wrappers []', 'dime, wrappers [normaliseObservation]'];
  expect(shown).toEqual([
    [wrapped, 'sac', 1, 1],
    [wrapped, plain, 1, 1],
    ['sac', plain, 2, 1],
  ]);
});

it('single runs tell nothing of how probable it is that one is better', async () => {
  const runs = [await runOf({}, { 9: 1 }), await runOf({ agent: 'sac' }, { 9: 2 })];
  expect(improvements(scoresOf(await groupRuns(runs)))).toEqual([]);
});
