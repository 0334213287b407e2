import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  ArgumentError,
  type Checkpoint,
  CheckpointError,
  checkpointExists,
  decodeSafetensors,
  MissingPackageError,
  prefixed,
  readCheckpoint,
  type StateDict,
  writeCheckpoint,
} from 'diffrl';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'diffrl-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await fs.rm(folder, { recursive: true });
});

const numbered = (n: number): Checkpoint => ({
  kind: 'TestAgent',
  config: { hidden: [64, 64], n, name: `agent ${n}`, nested: { noise: null, on: true } },
  state: {
    'actor/kernel': { shape: [2, 2], data: Float32Array.of(n, n + 1, n + 2, n + 3) },
    counter: { shape: [1], data: Float64Array.of(n) },
  },
  training: { step: { shape: [1], data: Float64Array.of(10 * n) } },
});

/** Lets `count` operations on files pass; the next one is done by half and after it none works. */
function dieAfter(count: number): () => void {
  let left = count;
  const mortal = <Target extends object>(target: Target): Target =>
    new Proxy(target, {
      get(_, name) {
        const operation = Reflect.get(target, name);
        if (typeof operation !== 'function') return operation;
        return async (...args: unknown[]) => {
          if (left-- <= 0) {
            if (left === -1 && name === 'writeFile') {
              const content = args[0] as string | Uint8Array;
              await operation.call(target, content.slice(0, content.length / 2));
            }
            if (name === 'close') await operation.call(target);
            throw new Error(`died at ${String(name)}`);
          }
          const result = await operation.apply(target, args);
          return name === 'open' ? mortal(result) : result;
        };
      },
    });
  const real = process.getBuiltinModule;
  const spy = vi
    .spyOn(process, 'getBuiltinModule')
    .mockImplementation(((name: string) => (name === 'node:fs/promises' ? mortal({ ...fs }) : real(name))) as never);
  return () => spy.mockRestore();
}

/** A disk that takes no byte more. */
function fillDisk(code: string): void {
  const real = process.getBuiltinModule;
  const open = async (path: string, flags: string) => {
    const file = await fs.open(path, flags);
    if (!flags.startsWith('w') || path.endsWith('.lock')) return file;
    file.writeFile = async () => Promise.reject(Object.assign(new Error(`${code}: write`), { code }));
    return file;
  };
  vi.spyOn(process, 'getBuiltinModule').mockImplementation(((name: string) =>
    name === 'node:fs/promises' ? { ...fs, open } : real(name)) as never);
}

const rows = (n: number): StateDict => ({
  x: { shape: [2], data: Float32Array.of(n, n), frozen: true },
  flags: { shape: [1], data: Uint8Array.of(n), frozen: true },
});

const stateFile = async (path: string) => (await fs.readdir(path)).find((name) => name.endsWith('.safetensors'))!;

describe('writeCheckpoint and readCheckpoint', () => {
  it('give back what was written, from a folder they make', async () => {
    const path = join(folder, 'runs', 'a');
    expect(await checkpointExists(path)).toBe(false);
    await writeCheckpoint(path, numbered(1));
    expect(await checkpointExists(path)).toBe(true);
    expect(await readCheckpoint(path, 'TestAgent')).toEqual(numbered(1));
    const { training, ...agentOnly } = numbered(2);
    await writeCheckpoint(path, agentOnly);
    expect(await readCheckpoint(path)).toEqual(agentOnly);
  });

  it('keep one state in the folder, readable for Python, and leave other files alone', async () => {
    await fs.writeFile(join(folder, 'progress.csv'), 'step\n');
    for (const n of [1, 2, 3]) await writeCheckpoint(folder, numbered(n));
    const file = await stateFile(folder);
    expect((await fs.readdir(folder)).sort()).toEqual(['checkpoint.json', 'progress.csv', file]);
    const { state } = decodeSafetensors(await fs.readFile(join(folder, file)));
    expect(state['agent/actor/kernel']).toEqual(numbered(3).state['actor/kernel']);
  });

  it('leave the old or the new checkpoint, whole, wherever the process dies', async () => {
    await writeCheckpoint(folder, numbered(1));
    const outcomes: unknown[] = [];
    for (let lifetime = 0; ; lifetime++) {
      const revive = dieAfter(lifetime);
      const died = await writeCheckpoint(folder, numbered(2)).then(
        () => false,
        () => true,
      );
      revive();
      const found = await readCheckpoint(folder);
      outcomes.push(found.config.n);
      expect(found).toEqual(numbered(found.config.n as number));
      if (!died) break;
    }
    expect(outcomes).toContain(1);
    expect(outcomes.at(-1)).toBe(2);
    await writeCheckpoint(folder, numbered(3)); // the last one may have died when it gave its lock back
    expect(await fs.readdir(folder)).toHaveLength(2);
  });

  it('name what is damaged, missing or foreign', async () => {
    const refused = async (change: (path: string, state: string) => Promise<unknown>, message: RegExp) => {
      const path = await fs.mkdtemp(join(folder, 'case-'));
      await writeCheckpoint(path, numbered(1));
      await change(join(path, 'checkpoint.json'), join(path, await stateFile(path)));
      const error = await readCheckpoint(path, 'TestAgent').catch((error) => error);
      expect(error).toBeInstanceOf(CheckpointError);
      expect(error.message).toMatch(message);
      expect(error.message).toContain(path);
    };
    const edit = async (path: string, change: (text: string) => string) =>
      fs.writeFile(path, change(await fs.readFile(path, 'latin1')), 'latin1');

    await refused((json) => fs.rm(json), /checkpoint.json is missing/);
    await refused((json) => edit(json, (text) => text.slice(0, -20)), /checkpoint.json is damaged, it is not JSON/);
    await refused((json) => edit(json, (text) => text.replace('64', '65')), /checkpoint.json is damaged, its SHA-256/);
    await refused((json) => fs.writeFile(json, '{"format": "other"}'), /does not belong to diffrl/);
    await refused((json) => fs.writeFile(json, 'null'), /does not belong to diffrl/);
    await refused((_, state) => fs.rm(state), /safetensors is missing/);
    await refused((_, state) => edit(state, (text) => text.slice(0, -1)), /bytes instead of/);
    await refused((_, state) => edit(state, (text) => `${text.slice(0, -1)}!`), /safetensors is damaged, its SHA-256/);
    await refused(
      async (json) => writeCheckpoint(join(json, '..'), { ...numbered(1), kind: 'Other' }),
      /belongs to a Other, not to a TestAgent/,
    );
  });

  it('write frozen arrays once, group by group, and give them back frozen', async () => {
    const block = rows(1);
    const first = { ...numbered(1), state: { ...numbered(1).state, ...prefixed('replay/rows0', block) } };
    await writeCheckpoint(folder, first);
    const [old] = (await fs.readdir(folder)).filter((name) => name.startsWith('rows-'));
    await fs.utimes(join(folder, old!), 1, 1);
    const second = { ...first, state: { ...first.state, ...prefixed('replay/rows1', rows(2)) } };
    await writeCheckpoint(folder, second);
    expect((await fs.stat(join(folder, old!))).mtimeMs).toBe(1000);
    expect(await readCheckpoint(folder)).toEqual(second);
    await writeCheckpoint(folder, numbered(3));
    expect(await fs.readdir(folder)).toHaveLength(2);
  });

  it('wait for each other within a process and between processes; a reader sees whole checkpoints only', async () => {
    const program = `
      import { writeCheckpoint } from '${root}src/checkpoint/checkpoint.ts';
      for (let n = 0; n < 20; n++) {
        const state = { x: { shape: [1000], data: new Float32Array(1000).fill(n) } };
        await writeCheckpoint(process.argv[1], { kind: 'Other', config: { n }, state });
      }`;
    await writeCheckpoint(folder, numbered(0));
    const other = promisify(execFile)(process.execPath, [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      program,
      folder,
    ]);
    let running = true;
    const ended = other.finally(() => {
      running = false;
    });
    for (let n = 0; running; n++) {
      await Promise.all([writeCheckpoint(folder, numbered(n)), writeCheckpoint(folder, numbered(n + 1))]);
      const { kind, state } = await readCheckpoint(folder);
      expect(kind === 'Other' ? new Set(state.x!.data).size : state.counter!.data.length).toBe(1);
    }
    await ended;
    expect(await fs.readdir(folder)).toHaveLength(2);
  });

  it('take over the lock of a process that died, or that nobody has signed for a minute', async () => {
    const lock = join(folder, '.lock');
    await fs.writeFile(lock, `999999999 ${hostname()} x\n`);
    await writeCheckpoint(folder, numbered(1));
    await fs.writeFile(lock, `1 elsewhere x\n`);
    await fs.utimes(lock, 1, 1);
    await writeCheckpoint(folder, numbered(2));
    expect((await readCheckpoint(folder)).config.n).toBe(2);
    expect(await fs.readdir(folder)).toHaveLength(2);
  });

  it.each([
    ['ENOSPC', /disk is full; free some space/],
    ['EFBIG', /larger than its file system or a limit/],
    ['EACCES', /no permission; choose another folder/],
    ['EDQUOT', /quota is used up/],
  ])('name %s, keep the checkpoint before and leave no halves', async (code, message) => {
    await writeCheckpoint(folder, numbered(1));
    fillDisk(code);
    const error = await writeCheckpoint(folder, numbered(2)).catch((error) => error);
    vi.restoreAllMocks();
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.message).toMatch(message);
    expect(error.cause.code).toBe(code);
    expect(await readCheckpoint(folder)).toEqual(numbered(1));
    expect(await fs.readdir(folder)).toHaveLength(2);
    await writeCheckpoint(folder, numbered(2));
    expect(await readCheckpoint(folder)).toEqual(numbered(2));
  });

  it('name what stands in their way', async () => {
    const path = join(folder, 'a');
    await fs.mkdir(join(path, 'checkpoint.json'), { recursive: true });
    const refused = async (run: () => Promise<unknown>, message: RegExp) => {
      const error = (await run().catch((error) => error)) as Error;
      expect(error).toBeInstanceOf(CheckpointError);
      expect(error.message).toMatch(message);
    };
    await refused(() => readCheckpoint(path), /cannot read '.*checkpoint.json': it is a folder/);
    await refused(() => writeCheckpoint(path, numbered(1)), /cannot write '.*checkpoint.json': it is a folder/);
    await fs.rmdir(join(path, 'checkpoint.json'));
    await fs.symlink('checkpoint.json', join(path, 'checkpoint.json'));
    await refused(() => readCheckpoint(path), /links lead in a circle/);
    await fs.writeFile(join(folder, 'file'), '');
    await refused(() => writeCheckpoint(join(folder, 'file'), numbered(1)), /part of the path is a file/);
    await refused(() => writeCheckpoint(join(folder, 'file', 'x'), numbered(1)), /part of the path is a file/);
    for (const nonsense of ['', 5, undefined, null, 'a\0b']) {
      await expect(writeCheckpoint(nonsense as never, numbered(1))).rejects.toThrow(ArgumentError);
      await expect(readCheckpoint(nonsense as never)).rejects.toThrow(ArgumentError);
      await expect(checkpointExists(nonsense as never)).rejects.toThrow(ArgumentError);
    }
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, new Float32Array(2), () => 1, new Map()])(
    'refuse a config that JSON cannot hold: %s',
    async (value) => {
      const checkpoint = { ...numbered(1), config: { deep: [{ value: value as never }] } };
      await expect(writeCheckpoint(folder, checkpoint)).rejects.toThrow(ArgumentError);
      await expect(writeCheckpoint(folder, checkpoint)).rejects.toThrow('config.deep.0.value must be plain JSON');
      expect(await fs.readdir(folder)).toEqual([]);
    },
  );

  it('say what to do where there are no files', async () => {
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
    await expect(writeCheckpoint(folder, numbered(1))).rejects.toThrow(MissingPackageError);
    await expect(readCheckpoint(folder)).rejects.toThrow(/files need Node 20.16.*encodeSafetensors/);
  });
});
