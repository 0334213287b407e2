/** Functions and classes of diffrl/mujoco, /node, /remote and /compile get nonsense: a result, or an error of the library's own. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { DiffrlError, Pendulum, Rng } from 'diffrl';
import * as compiled from 'diffrl/compile';
import * as mujoco from 'diffrl/mujoco';
import * as node from 'diffrl/node';
import * as remote from 'diffrl/remote';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { mistakes } from './mistakes.js';

type Anything = (...args: unknown[]) => unknown;

/** What is not called with nonsense, and why. A new export is called unless it is put here. */
const EXCUSED: Record<string, string> = {
  'made by create, connect or accept, whose methods test/fuzzMethods.test.ts calls': `MujocoEnv Simulation RemoteEnv
    RemoteVectorEnv WorkerVectorEnv RunFolder`,
  errors: `MujocoModelError MujocoSimulationError RunBusyError ConnectionLostError ProtocolError CompileError`,
  'changes the process': 'useBestBackend',
};
const excused = new Set(Object.values(EXCUSED).flatMap((names) => names.split(/\s+/)));
const statics: Record<string, Anything> = {
  'Simulation.create': (...args) => (mujoco.Simulation.create as Anything)(...args),
  'MujocoEnv.create': (...args) => (mujoco.MujocoEnv.create as Anything)(...args),
  'WorkerVectorEnv.create': (...args) => (node.WorkerVectorEnv.create as Anything)(...args),
  'RunFolder.open': (...args) => (node.RunFolder.open as Anything)(...args),
};
const entries = { mujoco, node, remote, compile: compiled };
const folder = mkdtempSync(join(tmpdir(), 'diffrl-'));
const home = process.cwd();
beforeAll(() => process.chdir(folder));
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

const isClass = (value: unknown) => /^class\b/.test(Function.prototype.toString.call(value));
const env = await mujoco.makeMujoco('InvertedPendulum-v5');
const model = '<mujoco><worldbody><body><joint/><geom size="1"/></body></worldbody></mujoco>';
const task = { model, frameSkip: 1, observe: () => ({ x: 1 }), evaluate: () => ({ reward: 0 }) };
const nonsense = fc.constantFrom<unknown>(
  ...mistakes,
  ...[
    'x',
    3,
    [1, 2],
    [null],
    new Float32Array(2),
    Symbol.iterator,
    3n,
    new Map(),
    { low: [-1], high: [1], shape: [1] },
  ],
  ...[new Pendulum(), env, Rng.fromSeed(1), model, '<mujoco>', '<mujoco/>', { xml: 3 }, { xml: model, files: 3 }],
  ...[{ xml: model, files: { a: 'x' } }, task, { ...task, frameSkip: 'x' }, { ...task, observe: 3 }],
  ...[
    { ...task, observe: () => null },
    { ...task, observe: () => ({}) },
    { ...task, evaluate: null },
  ],
  ...[
    { ...task, keyframe: 3 },
    { ...task, actuators: [3] },
    { ...task, stepping: {} },
    'InvertedPendulum-v5',
    'python:',
  ],
  ...['tcp://', 'ws://x y', 'tcp://127.0.0.1:99999', ['tcp://:1'], { port: 'x' }, { host: 3 }, { numEnvs: 'x' }],
  ...[{ timeout: 'x' }, { patience: -1 }, { token: 3 }, { env: 'x', agent: 'y' }, { agent: 3, env: 3 }, { steps: 'x' }],
  ...[{ environment: 3, numEnvs: 1 }, { environment: { module: 3 } }, { seconds: 0 }, { fps: 'x' }, { width: 'x' }],
  ...[{ threads: 'x' }, { x: { shape: [1] } }, { x: { shape: 'x' } }, ({ x }: { x: tf.Tensor }) => ({ y: x }), tf.neg],
  ...[{ opset: 'x' }, { name: 3 }, { body: [0, 0] }, { agent: null, env }, 'body', 'a', { pos: 'x' }, 'joint'],
);
/** Waiting for somebody who never comes takes its time. */
const HURRY: Record<string, (args: unknown[]) => unknown[]> = {
  acceptEnv: ([options]) => [isObject(options ?? {}) ? { patience: 20, ...(options as object) } : options],
  connectEnv: ([address, options]) => [
    address,
    isObject(options ?? {}) ? { patience: 20, ...(options as object) } : options,
  ],
  connectVectorEnv: ([address, options]) => [
    address,
    isObject(options ?? {}) ? { patience: 20, ...(options as object) } : options,
  ],
};
const isObject = (value: unknown): value is object => Object.prototype.toString.call(value) === '[object Object]';

describe.each(Object.entries(entries))('diffrl/%s', (entry, exports) => {
  const library = exports as unknown as Record<string, Anything>;
  const functions = Object.keys(library).filter((name) => typeof library[name] === 'function' && !excused.has(name));
  const own = Object.keys(statics).filter((name) => name.split('.')[0]! in library);
  const names = [...functions, ...own];

  it('answers nonsense with errors of diffrl or none', { timeout: 240_000 }, async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const faults = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.array(nonsense, { maxLength: 3 }), async (name, given) => {
        const target = statics[name] ?? library[name]!;
        const args = HURRY[name]?.(given) ?? given;
        try {
          const result = await (isClass(target) ? Reflect.construct(target, args) : target(...args));
          const { close, dispose } = Object(result);
          if (result !== env && typeof (close ?? dispose) === 'function') await (close ?? dispose).call(result);
        } catch (error) {
          if (error instanceof DiffrlError) return;
          faults.add(`${name}: ${(error as Error).name}: ${(error as Error).message?.slice(0, 90)}`);
        }
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 400) },
    );
    console.info(`diffrl/${entry}: ${names.length} called, ${faults.size} distinct raw errors`);
    expect([...faults]).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });
});

it('the list of what is excused names nothing that is gone', () => {
  const all = new Set(Object.values(entries).flatMap((exports) => Object.keys(exports)));
  expect([...excused].filter((name) => !all.has(name))).toEqual([]);
});
