import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, readCheckpoint, writeCheckpoint } from 'diffrl';
import { unzipSync, zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const checkpoint: Checkpoint = {
  kind: 'TestAgent',
  config: { hidden: [64, 64] },
  state: { kernel: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } },
  training: { step: { shape: [1], data: Float64Array.of(10) } },
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

describe('a checkpoint as one file', () => {
  it('comes back as it was, and Node reads it like a folder', async () => {
    const bytes = await encodeCheckpoint(checkpoint);
    expect(await decodeCheckpoint(bytes, 'TestAgent')).toEqual(checkpoint);
    await writeFile(join(folder, 'a.zip'), bytes);
    expect(await readCheckpoint(join(folder, 'a.zip'))).toEqual(checkpoint);
    await expect(readCheckpoint(join(folder, 'b.zip'))).rejects.toThrow(/no file '.*b\.zip'/);
  });

  it('is the folder of writeCheckpoint, packed: the same files with the same bytes, whatever wrote it', async () => {
    await writeCheckpoint(folder, checkpoint);
    const names = await readdir(folder);
    const packed = zipSync({ run: Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))])) });
    expect(await decodeCheckpoint(packed)).toEqual(checkpoint);
    const unpacked = unzipSync(await encodeCheckpoint(checkpoint));
    expect(Object.keys(unpacked).sort()).toEqual(names.sort());
    for (const name of names) expect(Buffer.from(unpacked[name]!)).toEqual(readFileSync(join(folder, name)));
  });

  it("is made in a page by the browser's own hash, byte for byte", async () => {
    const inNode = await encodeCheckpoint(checkpoint);
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
    expect(await encodeCheckpoint(checkpoint)).toEqual(inNode);
  });

  it('says what is wrong with a damaged or foreign file', async () => {
    const bytes = await encodeCheckpoint(checkpoint);
    const damaged = bytes.slice();
    damaged[Buffer.from(bytes).indexOf('F32')]! ^= 1;
    await expect(decodeCheckpoint(damaged)).rejects.toThrow(/SHA-256 does not fit/);
    await expect(decodeCheckpoint(bytes.subarray(0, 300))).rejects.toThrow(/no ZIP archive/);
    await expect(decodeCheckpoint(zipSync({}))).rejects.toThrow(/checkpoint\.json is missing/);
    await expect(decodeCheckpoint(bytes, 'DimeAgent')).rejects.toThrow(/belongs to a TestAgent, not to a DimeAgent/);
  });
});
