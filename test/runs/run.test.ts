import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  Box,
  CheckpointError,
  type Env,
  evaluate,
  NormaliseObservation,
  Pendulum,
  type SacAgent,
  type SdacAgent,
  type TrainingCallback,
} from 'diffrl';
import { createRun, executeRun, findRuns, loadRun, RunBusyError, RunFolder, type RunSettings } from 'diffrl/node';
import { serveEnv } from 'diffrl/remote';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claim } from '../../src/runs/claim.js';
import { prepareRun } from '../../src/runs/prepare.js';
import { verifyRun } from '../../src/runs/verify.js';
import { digests } from './digests.js';
import { counted } from './tiny.js';

let folder: string;
beforeEach(async () => {
  Object.assign(counted, { made: 0, open: 0 });
  folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
});
afterEach(() => rm(folder, { recursive: true }));

const tiny = fileURLToPath(new URL('./tiny.ts', import.meta.url));
const settings: RunSettings = {
  agent: `${tiny}#makeTiny`,
  env: 'Pendulum',
  envOptions: { maxEpisodeSteps: 13 },
  wrappers: ['normaliseObservation', 'normaliseReward'],
  envs: 2,
  steps: 300,
  seed: 3,
  evaluationEvery: 30,
  evaluationEpisodes: 2,
  checkpointEvery: 50,
  logEvery: 50,
};

/** Aborts at a step, or dies there. */
function interruptAt(step: number, how: 'signal' | 'crash') {
  const controller = new AbortController();
  const callback: TrainingCallback = {
    onStepEnd(run) {
      if (run.step < step) return;
      if (how === 'crash') throw new Error('power cut');
      controller.abort();
    },
  };
  return { signal: controller.signal, callbacks: [callback] };
}

describe('a run', () => {
  it('that is interrupted and crashes at many places ends in the bytes of one that is not', async () => {
    const whole = await createRun('test', join(folder, 'whole'), settings);
    expect((await executeRun(whole)).state).toBe('finished');

    const cut = await createRun('test', join(folder, 'cut'), settings);
    for (const [i, step] of [1, 31, 64, 99, 100, 180, 181, 298].entries()) {
      if (i % 3 === 2) await expect(executeRun(cut, interruptAt(step, 'crash'))).rejects.toThrow('power cut');
      else expect((await executeRun(cut, interruptAt(step, 'signal'))).state).toBe('interrupted');
    }
    expect((await cut.status()).attempts).toBe(8);
    expect(await executeRun(cut)).toMatchObject({ state: 'finished', step: 300 });
    expect(await digests(cut)).toEqual(await digests(whole));
  });

  it('pauses where it is told to, and goes on beyond its end when asked', async () => {
    const whole = await createRun('test', join(folder, 'whole'), { ...settings, steps: 400 });
    await executeRun(whole);
    const run = await createRun('test', join(folder, 'rungs'), settings);
    expect(await executeRun(run, { until: 120 })).toMatchObject({ state: 'paused', step: 120, steps: 300 });
    expect(await executeRun(run)).toMatchObject({ state: 'finished', step: 300 });
    expect(await executeRun(run)).toMatchObject({ attempts: 2 });
    expect(await executeRun(run, { steps: 400 })).toMatchObject({ state: 'finished', step: 400, steps: 400 });
    expect(await digests(run)).toEqual(await digests(whole));
  });

  it('cannot end before the step that it is at, and goes on from there', async () => {
    const run = await createRun('test', folder, settings);
    const paused = await executeRun(run, { until: 120 });
    await expect(executeRun(run, { steps: 100 })).rejects.toThrow(/steps must be at least 120, which .* got 100/);
    expect(await run.status()).toEqual(paused);
    await expect(executeRun(run, { steps: 0 })).rejects.toThrow(/steps must be an integer >= 1, got 0/);
    expect(await executeRun(run, { steps: 140 })).toMatchObject({ state: 'finished', step: 140, steps: 140 });
  });

  it('looks at how far it is once nobody else works on it', async () => {
    const run = await createRun('test', folder, settings);
    const status = run.status.bind(run);
    run.status = async () => {
      run.status = status; // what comes next sees what somebody else has made in the meantime
      const before = await status();
      await executeRun(new RunFolder(run.path), { until: 50 });
      return before;
    };
    expect(await executeRun(run, { until: 70 })).toMatchObject({ state: 'paused', step: 70, attempts: 2 });
  });

  it('loads with the moments of its wrappers, best or latest, and is found where it lies', async () => {
    const run = await createRun('test', folder, settings);
    await executeRun(run);
    expect((await findRuns(folder)).map(({ path }) => path)).toEqual([run.path]);
    const { agent, environments, history, step } = await loadRun(run.path);
    expect([step, history.evaluations.length]).toEqual([300, 10]);
    expect(environments.evaluation).toBeInstanceOf(NormaliseObservation);
    const env = await environments.sideBySide(2);
    expect(env).toMatchObject({ numEnvs: 2 });
    const result = await evaluate({ agent, env, episodes: 2, seed: 1000 });
    expect(result.mean).toBe(history.evaluations.at(-1)!.mean);
    const means = history.evaluations.map(({ mean }) => mean);
    const best = await loadRun(run.path, 'best');
    expect(best.step).toBe(30 * (1 + means.indexOf(Math.max(...means))));
  });

  it('loads with these moments also where the environment has no state', async () => {
    const env = { env: `${tiny}#makeMore`, envOptions: {}, steps: 61, evaluationEpisodes: 1 };
    const run = await createRun('test', folder, { ...settings, ...env });
    await executeRun(run, { until: 60 });
    const { agent, environments, history } = await loadRun(run.path);
    expect((environments.evaluation as NormaliseObservation).moments.mean[0]).toBeGreaterThan(1);
    const { mean } = await evaluate({ agent, env: environments.evaluation, episodes: 1, seed: 1000 });
    expect(mean).toBe(history.evaluations.at(-1)!.mean);
  });

  it('loads with the moments of a module whose environments have some of their own', async () => {
    const env = { env: `${tiny}#makeNormalised`, envOptions: {}, wrappers: [], steps: 61, evaluationEpisodes: 1 };
    const run = await createRun('test', folder, { ...settings, ...env });
    await executeRun(run);
    const { environments } = await loadRun(run.path);
    expect((environments.evaluation as NormaliseObservation).moments.mean[0]).toBeGreaterThan(1);
  });

  it('takes every wrapper with an agent of the library', async () => {
    const options = { hidden: [4], batchSize: 4, warmupSteps: 30, compile: false };
    const wrappers: RunSettings['wrappers'] = ['clipAction', 'rescaleAction', { frameStack: 2 }, { timeLimit: 5 }];
    const sac: RunSettings = { ...settings, agent: 'sac', preset: 'none', wrappers, options, steps: 20 };
    const run = await createRun('test', folder, sac);
    expect((await executeRun(run)).state).toBe('finished');
    const { observationSpace, actionSpace } = (await loadRun(run.path)).environments.train;
    expect([observationSpace.size, actionSpace]).toEqual([6, Box.uniform(1, -1, 1)]);
  });

  it.each([
    [0, [expect.stringMatching(/^999 cores are \d+ now$/)]],
    [1, []],
  ])('with threads %i is verified, and told what may explain a difference', async (threads, changes) => {
    const run = await createRun('test', folder, { ...settings, steps: 40, threads });
    await executeRun(run);
    const config = await run.config();
    config.machine.cores = 999;
    await writeFile(run.file('config.json'), JSON.stringify(config));
    expect(await verifyRun(run.path)).toMatchObject({ step: 40, differing: [], changes });
  });

  it('before its first evaluation is repeated to the byte, too', async () => {
    const run = await createRun('test', folder, settings);
    await executeRun(run, { until: 20 });
    expect(await verifyRun(run.path)).toMatchObject({ step: 20, differing: [], evaluations: 0 });
  });

  it('is told from other folders that have a config.json', async () => {
    const model = join(folder, 'model');
    await mkdir(model);
    for (const content of ['{"hidden": 3}', 'null', '{']) {
      await writeFile(join(model, 'config.json'), content);
      expect(await findRuns(folder)).toEqual([]);
      expect(() => RunFolder.open(model)).toThrow(/not the folder of a run: its config.json is of something else/);
    }
    const run = await createRun('test', model, settings);
    expect((await findRuns(folder)).map(({ path }) => path)).toEqual([run.path]);
  });

  it('keeps the options that its preset gave it when it was made', async () => {
    const graded = { agent: `${tiny}#makeGraded`, env: `${tiny}#makeMore`, steps: 20, evaluationEvery: 20 };
    const run = await createRun('test', folder, { ...graded, options: { quality: 2 } });
    const config = await run.config();
    config.settings = { ...config.settings, preset: 'small', options: {} }; // as if it had been a preset's option
    await writeFile(run.file('config.json'), JSON.stringify(config));
    await executeRun(run);
    const { agent, environments } = await loadRun(run.path);
    const env = environments.evaluation as Env;
    expect((await evaluate({ agent, env, episodes: 1 })).mean).toBeCloseTo(1, 6); // five steps of 2 / 10
  });

  it('is loaded with other options where such are given', async () => {
    const options = {
      particles: 2,
      batchSize: 8,
      warmupSteps: 10,
      criticHidden: [8],
      diffusion: { steps: 2, hidden: [8] },
      compile: false,
    };
    const few = { agent: 'sdac', env: 'Pendulum', steps: 12, preset: 'none', evaluationEpisodes: 1 } as const;
    const run = await createRun('test', folder, { ...few, options });
    await executeRun(run);
    const { agent, step } = await loadRun(run.path, 'latest', { options: { particles: 16 } });
    expect([(agent as SdacAgent).options.particles, step]).toEqual([16, 12]);
    await expect(loadRun(run.path, 'latest', { options: { partcles: 16 } })).rejects.toThrow(
      /did you mean 'particles'/,
    );
    await expect(loadRun(run.path, 'latest', { options: { criticHidden: [9] } })).rejects.toThrow(CheckpointError);
  });

  const countedEnv = { env: `${tiny}#makeCounted`, envOptions: {}, steps: 20, evaluationEvery: 10 };

  it.each([
    ['the agent refuses an option', { agent: 'sac', options: { nonsense: 1 } }, 4, /no option 'nonsense'/],
    ['an environment cannot be made', { envOptions: { limit: 4 } }, 4, /no more environments/],
    ['a wrapper does not fit', { wrappers: [{ frameStack: 0 }] }, 1, /frames must be an integer >= 1/],
    ['it cannot be filmed', { filmEvery: 10, envs: 1 }, 2, /filmEvery is for MuJoCo tasks, but Counter has no model/],
  ])('leaves no environment open where %s', async (_, change, made, message) => {
    const refused = createRun('test', folder, { ...settings, ...countedEnv, ...change } as RunSettings);
    await expect(refused).rejects.toThrow(message);
    expect(counted).toEqual({ made: expect.any(Number), open: 0 });
    expect(counted.made).toBeGreaterThanOrEqual(made);
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves no environment open when it cannot be loaded', async () => {
    const run = await createRun('test', folder, { ...settings, ...countedEnv });
    await executeRun(run);
    const config = await run.config();
    await writeFile(run.file('config.json'), JSON.stringify({ ...config, resolved: { ...config.resolved, envs: 3 } }));
    await expect(loadRun(run.path)).rejects.toThrow(CheckpointError);
    expect(counted.open).toBe(0);
  });

  it('films in one environment', async () => {
    const filmed = { ...settings, env: `${tiny}#makeFilmed`, envOptions: {}, envs: 1, wrappers: [], steps: 30 };
    const run = await createRun('test', folder, {
      ...filmed,
      evaluationEvery: 30,
      evaluationEpisodes: 1,
      filmEvery: 10,
    });
    const before = counted.made;
    await executeRun(run);
    expect(await readdir(run.file('films'))).toHaveLength(3);
    expect(counted).toEqual({ made: before + 3, open: 0 }); // for training, evaluations and films
  });

  it.each([
    [{ device: 'cpu' }, { device: 'cpu', threads: 1 }],
    [{ threads: 2 }, { threads: 2 }],
    [true, { threads: 1 }],
    [undefined, { threads: 1 }],
    [false, false],
  ])('has its number of threads also with compile: %o', async (compile, expected) => {
    const options = { hidden: [4], ...(compile !== undefined && { compile }) };
    const sac: RunSettings = { ...settings, agent: 'sac', preset: 'none', options, threads: 1 };
    const { agent, environments } = await prepareRun('test', sac);
    expect((agent as SacAgent).options.compile).toEqual(expected);
    agent.dispose();
    await environments.close();
  });

  it('is refused where it would not use all servers that it names', async () => {
    const server = await serveEnv(() => new Pendulum(), { port: 0 });
    const env = `${server.address},${server.address}`;
    const remote: RunSettings = { ...settings, env, envOptions: {}, envs: undefined, preset: 'none' };
    await expect(createRun('test', folder, remote)).rejects.toThrow(/env names 2 servers, but envs is 1/);
    expect((await (await createRun('test', folder, { ...remote, envs: 2 })).config()).resolved.envs).toBe(2);
    await server.close();
  });

  it('tells why it failed also where its folder is gone', async () => {
    const run = await createRun('test', folder, settings);
    const onStep = async () => {
      run.writeStatus = async () => {
        throw new Error('no space left');
      };
      throw new Error('power cut');
    };
    await expect(executeRun(run, { callbacks: [{ onStep }] })).rejects.toThrow('power cut');
  });

  it('is worked on by one process at a time', async () => {
    const run = await createRun('test', folder, settings);
    const release = await claim(run.path);
    await rm(run.file('.working'));
    await writeFile(run.file('.working'), `${process.ppid} ${hostname()} -\n`);
    await expect(executeRun(run)).rejects.toThrow(RunBusyError);
    await expect(executeRun(run)).rejects.toThrow(new RegExp(`worked on by process ${process.ppid} on`));
    await writeFile(run.file('.working'), `999999999 ${hostname()} -\n`); // a process that is gone
    expect((await executeRun(run)).state).toBe('finished');
    await release();
  });

  it('is worked on once by a process, which knows that it does', async () => {
    const run = await createRun('test', folder, settings);
    const seen: unknown[] = [];
    const callback: TrainingCallback = {
      async onEvaluation() {
        if (seen.length) return;
        seen.push((await run.status()).state, await executeRun(run).catch((error) => error));
      },
    };
    await executeRun(run, { callbacks: [callback] });
    expect(seen).toEqual(['running', expect.any(RunBusyError)]);
    expect((await run.status()).attempts).toBe(1);
  });

  it.each([
    [{ evaluationEvry: 5 }, /there is no setting 'evaluationEvry', did you mean 'evaluationEvery'/],
    [{ env: 'HalfCheeta-v5' }, /there is no environment 'HalfCheeta-v5', did you mean 'HalfCheetah-v5'/],
    [{ agent: 'dmie' }, /there is no agent 'dmie', did you mean 'dime'/],
    [{ agent: `${tiny}#makeTimy` }, /exports no function 'makeTimy', did you mean 'makeTiny'/],
    [{ steps: 0 }, /steps must be an integer >= 1, got 0/],
    [{ wrappers: ['normalizeObservation'] }, /wrappers must be one of 'normaliseObservation'/],
    [
      { wrappers: [{ frameStack: 4, timeLimit: 200 }] },
      /wrappers must be one to an entry, got frameStack and timeLimit/,
    ],
    [{ wrappers: [{ clipAction: 3 }] }, /wrapper clipAction takes no value; write 'clipAction', got {"clipAction":3}/],
    [{ wrappers: ['timeLimit'] }, /wrapper timeLimit takes a value; write { timeLimit: 4 }, got "timeLimit"/],
    [{ wrappers: [{}] }, /wrappers must be one of 'normaliseObservation', .* got undefined/],
    [{ options: [] }, /options must be an object of names and values/],
  ])('refuses %o before there is a folder', async (change, message) => {
    await expect(createRun('test', folder, { ...settings, ...change } as never)).rejects.toThrow(message as RegExp);
    expect(await readdir(folder)).toEqual([]);
  });
});
