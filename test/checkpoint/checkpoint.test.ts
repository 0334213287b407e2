import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ArgumentError,
  type Checkpoint,
  CheckpointError,
  checkpointExists,
  decodeSafetensors,
  MissingPackageError,
  readCheckpoint,
  writeCheckpoint,
} from 'diffrl';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

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
