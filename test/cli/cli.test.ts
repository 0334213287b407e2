import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadPolicy, type NormaliseObservation } from 'diffrl';
import { createRun, loadRun } from 'diffrl/node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { table } from '../../src/cli/print.js';
import { collectSetting, parseCount, parseDuration, parsePositiveCount, parseSeeds } from '../../src/cli/values.js';
import { diffrl, output } from '../runs/stress.js';

const tiny = `${fileURLToPath(new URL('../runs/tiny.ts', import.meta.url))}#makeTiny`;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function call(...args: string[]) {
  const called = await output(diffrl(args, folder));
  expect(called.text, 'the banner of TensorFlow.js').not.toMatch(/TensorFlow|=====/);
  return called;
}

describe('values', () => {
  it('reads seeds and counts', () => {
    expect(parseSeeds('0..2,7, 1')).toEqual([0, 1, 2, 7]);
    expect(['50k', '1.5M', '2_000', '1e5'].map(parseCount)).toEqual([50_000, 1_500_000, 2000, 100_000]);
    expect(parsePositiveCount('4')).toBe(4);
    expect(() => parsePositiveCount('0')).toThrow(/at least 1/);
    for (const wrong of ['', 'x', '3..1', '1..']) expect(() => parseSeeds(wrong)).toThrow();
    for (const wrong of ['', '1.5', 'k', '10 k']) expect(() => parseCount(wrong)).toThrow();
    expect(['90', '90s', '1.5m', '2h'].map(parseDuration)).toEqual([90, 90, 90, 7200]);
    for (const wrong of ['', '0', '1d', '-5s', '1e9h']) expect(() => parseDuration(wrong)).toThrow();
  });

  it('reads settings as YAML, dots nest', () => {
    const given = ['criticHidden=[256, 256]', 'sampler.steps=8', 'sampler.priorStd=1e-1', 'compile=false', 'a=b=c'];
    const read = given.reduce((before, text) => collectSetting(text, before), {});
    const sampler = { steps: 8, priorStd: 0.1 };
    expect(read).toEqual({ criticHidden: [256, 256], sampler, compile: false, a: 'b=c' });
    expect(() => collectSetting('steps')).toThrow(/name=value/);
  });

  it('prints tables with numbers to the right', () => {
    expect(
      table(
        ['name', 'n'],
        [
          ['a', '1'],
          ['long one', '100'],
        ],
      ).split('\n'),
    ).toEqual(['name        n', '--------  ---', 'a           1', 'long one  100']);
  });
});

describe('the program diffrl', () => {
  it('trains two agents over seeds and draws the comparison; repeats a run to the byte', async () => {
    const run = (seeds: string, quality: string) =>
      call(
        'train',
        '-a',
        tiny.replace('makeTiny', 'makeGraded'),
        '-e',
        tiny.replace('makeTiny', 'makeMore'),
        '-n',
        '200',
        '-s',
        seeds,
        '--set',
        `quality=${quality}`,
      );
    const trained = await Promise.all([run('0..2', '2'), run('0..2', '4')]);
    for (const { code, text } of trained) expect([code, text.match(/200 steps in/g)?.length]).toEqual([0, 3]);
    const runs = await readdir(join(folder, 'runs'));
    expect(runs).toHaveLength(6);

    const [compared, verified, watched] = await Promise.all([
      call('compare', 'runs', '--svg', 'c.svg'),
      call('verify', join('runs', runs[0]!)),
      call('watch', 'runs'),
    ]);
    expect(compared.text).toMatch(/Counter +makeGraded, quality 4 +3 +200 +2\.00 \[2\.00, 2\.00\]/);
    expect(compared.text).toMatch(/quality 4 beats makeGraded, quality 2 with probability 100 %/);
    expect(await readFile(join(folder, 'c.svg'), 'utf8')).toMatch(/makeGraded, quality 4 \(3 seeds\)/);
    expect(verified).toMatchObject({ code: 0, text: expect.stringMatching(/all \d+ arrays .* agree, byte for byte/) });
    expect(watched.text.match(/finished +100 %/g)).toHaveLength(6);
  });

  /** Waits until a run has got on. */
  async function begins(run: string): Promise<void> {
    const made = () => ['status.json', 'progress.csv'].every((name) => existsSync(join(run, name)));
    for (let i = 0; i < 300 && !made(); i++) await sleep(100);
    await sleep(300);
  }

  it('saves at Ctrl-C and says how to go on', async () => {
    const child = diffrl(['train', '-a', tiny, '-e', 'Pendulum', '-n', '3M', '--evaluate-every', '1000000'], folder);
    const ended = output(child);
    const runs = join(folder, 'runs');
    const made = () => (existsSync(runs) ? readdirSync(runs) : []);
    for (let i = 0; i < 300 && !made().length; i++) await sleep(100);
    await begins(join(runs, made()[0]!));
    child.kill('SIGINT');
    const { code, text } = await ended;
    expect(code).toBe(75);
    const [, path] = /Go on with: diffrl resume (\S+)/.exec(text) ?? [];
    const status = JSON.parse(await readFile(join(folder, path!, 'status.json'), 'utf8'));
    expect(status).toMatchObject({ state: 'interrupted' });
    expect(existsSync(join(folder, path!, 'latest', 'checkpoint.json'))).toBe(true);
  });

  it('saves when the pool sends it a message, which it can on Windows too', async () => {
    const run = await createRun('test', folder, { agent: tiny, env: 'Pendulum', steps: 3e6, evaluationEvery: 1e6 });
    const child = diffrl(['work', run.path], folder, 'ipc');
    const ended = output(child);
    await begins(run.path);
    child.send('SIGTERM');
    expect(await ended).toMatchObject({ code: 75, text: expect.stringMatching(/^SIGTERM: saved at step/) });
    expect(await run.status()).toMatchObject({ state: 'interrupted' });
  });

  it('ends at its time limit, goes on, and exports a policy in one file that needs nothing else', async () => {
    const set = ['hidden=[8]', 'batchSize=8', 'warmupSteps=20', 'compile=false'].flatMap((setting) => [
      '--set',
      setting,
    ]);
    const about = ['-a', 'td3', '-e', 'InvertedPendulum-v5', '-n', '100k', '--evaluate-every', '50', '--episodes', '1'];
    const limited = await call('train', ...about, ...set, '--wrap', 'normaliseObservation', '--time-limit', '4s');
    expect(limited.code).toBe(75);
    const [, path] = /Go on with: diffrl resume (\S+)/.exec(limited.text) ?? [];
    const { step } = JSON.parse(await readFile(join(folder, path!, 'status.json'), 'utf8'));
    expect(await call('resume', path!, '-n', `${step + 20}`)).toMatchObject({ code: 0 });
    expect(await call('export', path!, 'policy.onnx', '--checkpoint', 'latest', '--mjcf')).toMatchObject({ code: 0 });
    const policy = await loadPolicy(join(folder, 'policy.onnx'));
    expect(policy.metadata).toMatchObject({
      ...{ agent: 'TD3', task: 'InvertedPendulum-v5', settings: { step: step + 20 } },
      ...{ observationNames: ['qpos[0]', 'qpos[1]', 'qvel[0]', 'qvel[1]'], mjcf: expect.stringMatching(/^<mujoco/) },
    });
    const { agent, environments } = await loadRun(join(folder, path!));
    const normalised = environments.evaluation as NormaliseObservation;
    const raw = Float32Array.of(0.1, -0.05, 1, 0.5);
    const { actions } = await agent.act(normalised.moments.normalise(raw), { explore: false });
    expect((await policy.act(raw))[0]).toBeCloseTo(actions[0]!, 4);
    agent.dispose();
  });

  it('halves the variants of a sweep on the way, and says how far each came', async () => {
    const study = {
      ...{ agents: [tiny.replace('makeTiny', 'makeGraded')], envs: [tiny.replace('makeTiny', 'makeMore')] },
      ...{ steps: 80, evaluationEvery: 20, local: { jobs: 2 } },
      ...{ grid: { quality: [1, 4, 2, 3] }, halving: { rungs: 2, factor: 2 } },
    };
    await writeFile(join(folder, 'study.json'), JSON.stringify(study));
    const { code, text } = await call('sweep', 'study.json');
    expect(code).toBe(0);
    expect(text).toMatch(/2 finished, 2 paused/);
    for (const [quality, step] of [
      [4, 80],
      [3, 80],
      [2, 40],
      [1, 40],
    ]) {
      expect(text).toMatch(new RegExp(`quality ${quality} +1 +${step} +${(quality! / 2).toFixed(2)}`));
    }
    expect(await call('sweep', 'study.json')).toMatchObject({
      code: 0,
      text: expect.stringMatching(/2 complete already/),
    });
  });

  it('ends with 1 where runs failed, or their processes died again and again', async () => {
    const train = (env: string, seeds: string) =>
      call('train', '-a', tiny, '-e', tiny.replace('makeTiny', env), '-n', '60', '-s', seeds, '--jobs', '2');
    const [failed, died, none] = await Promise.all([
      train('makeBroken', '0,1'),
      train('makeDeadly', '0'),
      call('train', '-a', tiny, '-e', 'Pendulum', '--jobs', '0'),
    ]);
    expect([failed.code, failed.text.match(/FAILED: .*it broke at step 30/g)?.length]).toEqual([1, 2]);
    expect(died).toMatchObject({ code: 1, text: expect.stringMatching(/by exit code 3 3 times without getting on/) });
    expect(none).toMatchObject({ code: 1, text: expect.stringMatching(/'0' is invalid. Write .* at least 1/) });
  });

  it('answers mistakes with what was meant, without a stack, and says where a sweep failed', async () => {
    await writeFile(join(folder, 'bad.mjs'), 'export function makeBad() { return { reset() {} }; }');
    const study = { agents: [tiny], envs: [tiny.replace('makeTiny', 'makeBroken')], steps: 60 };
    await writeFile(join(folder, 'study.json'), JSON.stringify(study));
    const [agent, command, module, sweep] = await Promise.all([
      call('train', '-a', 'dmie', '-e', 'Pendulum'),
      call('trian'),
      call('check', './bad.mjs#makeBad'),
      call('sweep', 'study.json'),
    ]);
    expect(agent).toMatchObject({ code: 1, text: expect.stringMatching(/^error: .* did you mean 'dime'/) });
    expect(command).toMatchObject({ code: 1, text: expect.stringMatching(/Did you mean train/) });
    expect(module).toMatchObject({ code: 1, text: expect.stringMatching(/must return an environment/) });
    expect(sweep.code).toBe(1);
    expect(sweep.text).toMatch(/failed at step \d+:[\s\S]*it broke at step 30[\s\S]*--retry/);
    for (const { text } of [agent, command, module]) expect(text).not.toMatch(/ at .*\.ts:/);
  });
});
