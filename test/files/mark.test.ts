/** Who has a mark, and who may take it over. */
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ownerOf, takeMark } from '../../src/files/mark.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
  path = join(folder, 'mark');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const dead = 999_999_999;
const signs = { pulse: 1000, lifetime: 60_000 };
const take = () => takeMark('test', path, signs);

/** Whether a mark that says `text` and has given no sign of life for `age` milliseconds is taken over. */
async function isTakenOver(text: string, age = 0): Promise<boolean> {
  await writeFile(path, `${text}\n`);
  const time = new Date(Date.now() - age);
  await utimes(path, time, time);
  const release = await take();
  await release?.();
  return release !== undefined;
}

describe('a mark', () => {
  it('is taken by one at a time, and leaves nothing behind', async () => {
    const release = await take();
    expect(await take()).toBeUndefined();
    expect(await ownerOf('test', path, signs)).toBe(`process ${process.pid} on ${hostname()}`);
    await release?.();
    expect(await ownerOf('test', path, signs)).toBeUndefined();
    expect(await readdir(folder)).toEqual([]);
  });

  it('of an owner that is gone goes to one of the many who find it', async () => {
    for (let round = 0; round < 50; round++) {
      await writeFile(path, `${dead} ${hostname()} -\n`);
      const releases = (await Promise.all(Array.from({ length: 8 }, take))).filter(Boolean);
      expect(releases).toHaveLength(1);
      expect(await readdir(folder)).toEqual(['mark']);
      await releases[0]?.();
    }
  });

  it('and the one that was made to replace it, by somebody who died then, are taken over', async () => {
    for (const name of ['mark', 'mark.next']) await writeFile(join(folder, name), `${dead} ${hostname()} -\n`);
    expect((await Promise.all(Array.from({ length: 8 }, take))).filter(Boolean)).toHaveLength(1);
    expect(await readdir(folder)).toEqual(['mark']);
  });

  it('stays with a process of this machine as long as it lives, and with one elsewhere as long as it says so', async () => {
    expect(await isTakenOver(`${process.ppid} ${hostname()} x`, 3_600_000)).toBe(false);
    expect(await isTakenOver(`${dead} ${hostname()} x`)).toBe(true);
    expect(await isTakenOver(`${dead} elsewhere x`, 50_000)).toBe(false);
    expect(await isTakenOver(`${dead} elsewhere x`, 70_000)).toBe(true);
  });

  it.runIf(process.platform === 'linux')('does not go to a process that has got the number of its owner', async () => {
    expect(await isTakenOver(`${process.ppid} ${hostname()} x 1 - 0`)).toBe(true);
    expect(await isTakenOver(`${process.pid} ${hostname()} x 1 - 0`)).toBe(true);
  });

  it('of a task of Slurm goes to the same task when that is queued again, not to others of its processes', async () => {
    const marks = { same: `${dead} elsewhere x - 7_3 1`, before: `${dead} elsewhere x - 7_3 0` };
    expect(await isTakenOver(marks.before)).toBe(false);
    for (const [name, value] of [
      ['SLURM_ARRAY_JOB_ID', '7'],
      ['SLURM_ARRAY_TASK_ID', '3'],
      ['SLURM_RESTART_COUNT', '1'],
    ] as const) {
      vi.stubEnv(name, value);
    }
    expect(await isTakenOver(marks.same)).toBe(false);
    expect(await isTakenOver(marks.before)).toBe(true);
    expect(await isTakenOver(`${process.ppid} ${hostname()} x - 7_3 1`)).toBe(false);
  });

  it('that somebody else has got is not touched by whom it was', async () => {
    const release = await takeMark('test', path, { ...signs, pulse: 5 });
    await writeFile(path, 'theirs\n');
    await utimes(path, 1, 1);
    await sleep(50);
    await release?.();
    expect([await readFile(path, 'utf8'), (await stat(path)).mtimeMs]).toEqual(['theirs\n', 1000]);
  });

  it('without a signature is waited for, for a while', async () => {
    await writeFile(path, `${process.ppid} `);
    expect(await take()).toBeUndefined();
    expect(await ownerOf('test', path, signs)).toBe('a process that is just starting');
    await utimes(path, 1, 1);
    expect(await take()).toBeDefined();
  });
});
