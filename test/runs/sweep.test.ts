import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunFolder } from '../../src/runs/folder.js';
import { planSweep, rungsOf } from '../../src/runs/sweep/plan.js';
import { workThrough } from '../../src/runs/sweep/pool.js';
import { Sweep } from '../../src/runs/sweep/sweep.js';
import { stress } from './stress.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
});
afterEach(() => rm(folder, { recursive: true }));

const tiny = `${fileURLToPath(new URL('./tiny.ts', import.meta.url))}#makeTiny`;
const content = {
  agents: [tiny],
  envs: ['Pendulum'],
  envOptions: { maxEpisodeSteps: 20 },
  seeds: '0..1',
  steps: 200,
  evaluationEpisodes: 2,
};

describe('the plan of a sweep', () => {
  it('holds every combination of tasks, agents, variants and seeds, each with a folder of its own', () => {
    const { runs } = planSweep({
      agents: ['dime', 'sdac'],
      envs: ['Pendulum', 'HalfCheetah-v5'],
      seeds: ['0..2', 7],
      options: { gamma: 0.9 },
      agentOptions: { dime: { policyDelay: 2 } },
      grid: { 'sampler.steps': [4, 8], batchSize: [32] },
      random: { samples: 3, options: { criticLearningRate: { log: [1e-4, 1e-2] }, gamma: { choice: [0.8, 0.95] } } },
    });
    expect(runs).toHaveLength(2 * 2 * 2 * 3 * 4);
    expect(new Set(runs.map(({ name }) => name)).size).toBe(runs.length);
    const [first] = runs;
    expect(first!.name).toMatch(/^Pendulum__dime__0__[0-9a-f]{8}$/);
    expect(first!.settings.options).toMatchObject({ policyDelay: 2, sampler: { steps: 4 }, batchSize: 32 });
    expect([0.8, 0.95]).toContain(first!.settings.options.gamma);
    const rates = runs.map(({ settings }) => settings.options.criticLearningRate as number);
    expect(new Set(rates).size).toBe(3);
    for (const rate of rates) expect(rate).toBeGreaterThanOrEqual(1e-4);
    for (const rate of rates) expect(rate).toBeLessThanOrEqual(1e-2);
  });

  it('gives the same run the same folder, whatever else is in the file and in which order', () => {
    const names = (more: object) => planSweep({ ...content, ...more }).runs.map(({ name }) => name);
    expect(names({ seeds: [1, 0], local: { jobs: 4 } }).sort()).toEqual(names({}).sort());
    expect(names({ options: { a: 1, b: 2 } })).toEqual(names({ options: { b: 2, a: 1 } }));
    expect(names({ steps: 201 })).not.toEqual(names({}));
  });

  it('asks for a run once, however often draws, grids and seeds name it', () => {
    const { runs } = planSweep({
      ...content,
      seeds: [0, '0..1'],
      grid: { gamma: [0.9, 0.9] },
      random: { samples: 4, options: { batchSize: { choice: [128, 256] } } },
    });
    expect(runs.map(({ settings: { seed, options } }) => [seed, options.batchSize]).sort()).toEqual([
      [0, 128],
      [0, 256],
      [1, 128],
      [1, 256],
    ]);
  });

  it('has every run evaluated before it is compared for the first time', () => {
    const halved = { ...content, steps: 50_000, halving: { rungs: 4, factor: 3 } };
    const everyOf = (more: object) => planSweep({ ...halved, ...more }).runs[0]!.settings.evaluationEvery;
    expect([everyOf({}), everyOf({ evaluationEvery: 1000 }), everyOf({ steps: 1_000_000 })]).toEqual([
      1852, 1000, 37_038,
    ]);
    expect(everyOf({ halving: { rungs: 2 } })).toBe(2500);
    expect(() => everyOf({ evaluationEvery: 1853 })).toThrow(/evaluationEvery must be at most 1852, .* got 1853/);
  });

  it.each([
    [{ sedes: 3 }, /there is no option 'sedes', did you mean 'seeds'/],
    [{ agents: undefined }, /must name agents and envs/],
    [{ seeds: 'many' }, /seeds must be a list of whole numbers, or 0..4/],
    [{ grid: { gamma: 0.9 } }, /grid.gamma must be a list of values, got 0.9/],
    [{ random: { samples: 0, options: {} } }, /samples must be an integer >= 1, got 0/],
    [{ random: { options: { gamma: { log: [0, 1] } } } }, /random.options.gamma must be \{ log: \[a, b\] \}/],
    [{ agents: ['dime', 'sac'], agentOptions: { dmie: {} } }, /agentOptions.dmie is of none .*, did you mean 'dime'/],
    [{ local: { job: 3 } }, /there is no option 'job', did you mean 'jobs'/],
    [{ steps: -1 }, /steps must be an integer >= 1, got -1/],
  ])('refuses %o', (change, message) => {
    expect(() => planSweep({ ...content, ...change } as never)).toThrow(message as RegExp);
  });

  it('tries agents and options before it makes a folder', async () => {
    const sweep = Sweep.read(folder, { ...content, agents: ['dime'], grid: { groupSize: [1, 0] } });
    await expect(sweep.prepare()).rejects.toThrow(
      /Pendulum__dime__0__\w+: DimeAgent: groupSize must be an integer >= 1/,
    );
    expect((await sweep.entries()).map(({ status }) => status.state)).toEqual(Array(4).fill('new'));
  });
});

it('successive halving compares at the rungs and goes on with the better half of the variants', async () => {
  expect(rungsOf(200, { rungs: 3, factor: 2 })).toEqual([50, 100, 200]);
  const sweep = Sweep.read(folder, {
    ...content,
    grid: { quality: [1, 4, 2, 3] },
    agents: [tiny.replace('makeTiny', 'makeGraded')],
    envs: [tiny.replace('makeTiny', 'makeMore')],
    envOptions: {},
    evaluationEvery: 50,
    halving: { rungs: 3, factor: 2 },
  });
  await sweep.prepare();
  // As the pool does, but in this process.
  const { executeRun } = await import('diffrl/node');
  const { survivors } = await import('../../src/runs/sweep/halving.js');
  let left = await sweep.entries();
  const kept: number[][] = [];
  for (const until of [50, 100, 200]) {
    for (const entry of left) await executeRun(entry.folder, { until });
    kept.push([...new Set(left.map(({ run }) => run.variant.quality as number))]);
    left = await survivors(left, 2, () => until);
  }
  expect(kept).toEqual([[1, 4, 2, 3], [4, 3], [4]]);
  const steps = (await sweep.entries()).map(({ status }) => status.step);
  expect(steps.sort((a, b) => a - b)).toEqual([50, 50, 50, 50, 100, 100, 200, 200]);
});

it('successive halving counts evaluations of environments side by side, and says where it has none', async () => {
  const { executeRun } = await import('diffrl/node');
  const { survivors } = await import('../../src/runs/sweep/halving.js');
  const sweep = Sweep.read(folder, {
    ...content,
    seeds: [0],
    grid: { quality: [1, 4] },
    agents: [tiny.replace('makeTiny', 'makeGraded')],
    envs: [tiny.replace('makeTiny', 'makeMore')],
    envOptions: {},
    vectorEnvs: 3,
    halving: { rungs: 3, factor: 2 },
  });
  await sweep.prepare();
  const rung = () => 50;
  await expect(survivors(await sweep.entries(), 2, rung)).rejects.toThrow(
    /halving cannot compare the variants of '.*makeGraded' .* up to step 50/,
  );
  for (const entry of await sweep.entries()) await executeRun(entry.folder, { until: 50 });
  const left = await survivors(await sweep.entries(), 2, rung);
  expect(left.map(({ run }) => run.variant.quality)).toEqual([4]);
  const { folder: best, status } = left[0]!;
  const after = async (step: number) => {
    await best.writeStatus({ ...status, state: 'failed', step });
    return (await survivors(await sweep.entries(), 2, rung)).map(({ run }) => run.variant.quality);
  };
  expect([await after(45), await after(60)]).toEqual([[1], [4]]); // failed before it was compared, and after
});

it('a run that cannot be looked at fails the call once the other runs are complete', async () => {
  const sweep = Sweep.read(folder, { ...content, seeds: [0] });
  await sweep.prepare();
  const [run] = await sweep.entries();
  const lost = new RunFolder(join(folder, 'lost'));
  await expect(workThrough([lost, run!.folder], { jobs: 2 })).rejects.toThrow(/ENOENT.*lost/);
  expect((await run!.folder.status()).state).toBe('finished');
}, 120_000);

it('processes that are killed and interrupted at random lose nothing, the sweep itself included', async () => {
  const more = { steps: 16_000, checkpointEvery: 1000, local: { jobs: 2 } };
  const report = await stress(folder, { ...content, ...more }, { interruptions: 3, pause: [400, 800], seed: 1 });
  console.info(`${JSON.stringify(report.interruptions)}, ${report.attempts} starts for ${report.runs} runs`);
  expect(report.differing).toEqual([]);
}, 120_000);
