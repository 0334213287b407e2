import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Rng, SyncVectorEnv, type VectorEnv } from 'diffrl';
import { makeMujoco } from 'diffrl/mujoco';
import { WorkerVectorEnv, type WorkerVectorEnvOptions } from 'diffrl/node';
import { afterAll, describe, expect, it } from 'vitest';
import { loadState } from '../../src/state.js';
import { makeStateless, makeWalk } from './makeWalk.js';

const open: VectorEnv[] = [];
const execArgv = ['--import', new URL('../../scripts/registerTsx.mjs', import.meta.url).href];

async function workers(name: string, args: unknown[] = [], options: Partial<WorkerVectorEnvOptions> = {}) {
  const environment = { module: new URL('./makeWalk.ts', import.meta.url), export: name, args };
  const env = await WorkerVectorEnv.create({ environment, numEnvs: 5, workers: 2, execArgv, ...options });
  open.push(env);
  return env;
}
afterAll(async () => {
  for (const env of open) await env.close?.();
});

async function record(env: VectorEnv, steps: number, seed?: number) {
  const rng = Rng.fromSeed(4);
  const all: unknown[] = seed === undefined ? [] : [await env.reset({ seed })];
  for (let t = 0; t < steps; t++) {
    const { low, high } = env.actionSpace;
    const actions = rng.uniforms(env.numEnvs * env.actionSpace.size, low[0], high[0]);
    all.push(await env.step(actions));
  }
  return all;
}

describe('WorkerVectorEnv', () => {
  it('gives the same data as one thread, whatever the number of workers, and exchanges states with it', async () => {
    const sync = await SyncVectorEnv.create(5, () => makeWalk());
    const parallel = await workers('makeWalk');
    const slow = await workers('makeWalk', [true], { workers: 1 });
    const expected = await record(sync, 50, 8);
    expect(await record(parallel, 50, 8)).toEqual(expected);
    expect(await record(slow, 50, 8)).toEqual(expected);
    await loadState(parallel, structuredClone(await sync.state!()));
    expect(await record(parallel, 20)).toEqual(await record(sync, 20));
    expect(await parallel.state!()).toEqual(await sync.state!());
  });

  it('exchanges what outlives episodes where there is no state; a reset stays due', async () => {
    const sync = await SyncVectorEnv.create(5, makeStateless);
    await record(sync, 30, 8);
    const parallel = await workers('makeStateless');
    expect(parallel.state).toBeUndefined();
    await loadState(parallel.memory!, structuredClone(await sync.memory!.state()));
    expect(await parallel.memory!.state()).toEqual(await sync.memory!.state());
    await expect(parallel.step(new Float32Array(5))).rejects.toThrow(/call reset first/);
    expect(await record(parallel, 20, 3)).toEqual(await record(sync, 20, 3));
  });

  it('runs MuJoCo in every worker', async () => {
    const make = () => makeMujoco('HalfCheetah-v5', { maxEpisodeSteps: 10 });
    const sync = await SyncVectorEnv.create(2, make);
    open.push(sync);
    const environment = {
      ...{ module: new URL('../../src/mujoco/index.ts', import.meta.url), export: 'makeMujoco' },
      args: ['HalfCheetah-v5', { maxEpisodeSteps: 10 }],
    };
    const parallel = await workers('', [], { environment, numEnvs: 2 });
    expect(parallel.id).toBe('HalfCheetah-v5');
    expect(await record(parallel, 15, 1)).toEqual(await record(sync, 15, 1));
  });

  it('names what went wrong and goes on: bad calls, an environment that throws, a worker that dies', async () => {
    const env = await workers('makeMortal');
    const zeros = new Float32Array(5);
    await expect(env.step(zeros)).rejects.toThrow(/call reset first/);
    const { observations } = await env.reset({ seed: 1 });
    await expect(env.step(new Float32Array(4))).rejects.toThrow(/actions must have 5 numbers/);
    await expect(env.step(new Float32Array(5).fill(Number.NaN))).rejects.toThrow(/actions\[0\] is NaN/);
    const copy = observations.slice();
    const running = env.step(zeros);
    await expect(env.step(zeros)).rejects.toThrow(/busy/);
    await expect(env.reset()).rejects.toThrow(/busy/);
    expect((await running).rewards.length).toBe(5);
    expect(observations).toEqual(copy);

    const failing = env.step(Float32Array.of(0, 0, 0, 2, 0));
    await expect(failing).rejects.toThrow(/worker 1: environment 3 \(Walk\): out of fuel/);
    await expect(env.step(zeros)).rejects.toThrow(/call reset first/);

    const before = await record(env, 5, 2);
    for (const [order, reason] of [
      [3, 'it ended with code 7'],
      [4, 'stray failure'],
    ] as const) {
      const die = async () => {
        for (let t = 0; t < 500; t++) {
          await env.step(Float32Array.of(0, 0, order, 0, 0));
          await sleep(10);
        }
      };
      await expect(die).rejects.toThrow(`worker 1 (environments 2 to 4) died: ${reason}`);
      await expect(env.reset()).rejects.toThrow(/Call restart, then reset/);
      await env.restart();
      await expect(env.step(zeros)).rejects.toThrow(/call reset first/);
      expect(await record(env, 5, 2)).toEqual(before);
    }

    await env.close();
    await env.close();
    await expect(env.step(zeros)).rejects.toThrow(/was closed/);
  });

  it('can be restarted again where a restart has failed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
    const path = join(folder, 'away');
    const env = await workers('makeLicensed', [path], { numEnvs: 2, workers: 2 });
    await env.reset({ seed: 1 });
    await env.terminate();
    await writeFile(path, '');
    const restarting = expect(env.restart()).rejects.toThrow(/licence server is away/);
    await expect(env.restart()).rejects.toThrow(/workers are busy/);
    await restarting;
    await rm(folder, { recursive: true });
    await env.restart();
    await env.reset({ seed: 1 });
  });

  it('ends a worker that hangs: after a time, on terminate, and on close', async () => {
    const env = await workers('makeMortal', [], { numEnvs: 2, timeout: 6 });
    await env.reset({ seed: 1 });
    const hangs = Float32Array.of(0, 5);
    await expect(env.step(hangs)).rejects.toThrow(
      'worker 1 (environments 1 to 1) died: it did not answer within 6 s. Call restart, then reset.',
    );
    await expect(env.step(hangs)).rejects.toThrow(/call reset first/);
    await env.restart();
    await env.reset();
    const patient = await workers('makeMortal', [], { numEnvs: 2, timeout: Infinity });
    await patient.reset();
    const stuck = expect(patient.step(hangs)).rejects.toThrow(/was ended/);
    await patient.terminate();
    await stuck;
    await patient.restart();
    await patient.reset();
    const closed = expect(patient.step(hangs)).rejects.toThrow(/did not answer within 3 s/);
    const slow = await workers('makeUnclosable', [], { numEnvs: 1, workers: 1 });
    await Promise.all([patient.close(), slow.close()]);
    await closed;
    await expect(workers('makeHanging', [], { numEnvs: 1, workers: 1, timeout: 0.5 })).rejects.toThrow(
      /not answer within 0.5 s/,
    );
  });

  it('says why no environment can be made', async () => {
    const one = { workers: 1 };
    await expect(workers('makeNothing', [], one)).rejects.toThrow(/worker 0: no parts/);
    await expect(workers('makeSomething', [], one)).rejects.toThrow(/exports no function 'makeSomething'/);
    await expect(workers('makeWalk', [], { numEnvs: 0 })).rejects.toThrow(/numEnvs must be an integer >= 1/);
    await expect(workers('makeWalk', [], { timeout: 0 })).rejects.toThrow(/timeout must be a number > 0/);
    for (const environment of [undefined, {}, { module: 5, export: 'x' }]) {
      await expect(workers('', [], { environment: environment as never })).rejects.toThrow(
        /environment must be \{ module/,
      );
    }
    await expect(workers('makeWalk', [], { workers: 6 })).rejects.toThrow(/workers must be an integer >= 1 and <= 5/);
  });
});
