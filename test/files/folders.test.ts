/** Folders that cannot be made are named at once; Node's own recursive mkdir never returns for some of them. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileError } from 'diffrl';
import { expect, it } from 'vitest';
import { makeFolder } from '../../src/files/folders.js';

const temporary = () => mkdtemp(join(tmpdir(), 'diffrl-folders-'));
const isLinux = process.platform === 'linux';

it('makes all that is missing, also by many at once', async () => {
  const folder = join(await temporary(), 'a/b/c');
  await Promise.all([1, 2, 3].map(() => makeFolder('test', folder)));
  expect(await readdir(folder)).toEqual([]);
});

it('a file or a link to nothing in the way is named', async () => {
  const folder = await temporary();
  await writeFile(join(folder, 'file'), '');
  await symlink(join(folder, 'nothing'), join(folder, 'link'));
  await expect(makeFolder('test', join(folder, 'file/a'))).rejects.toThrow(FileError);
  await expect(makeFolder('test', join(folder, 'link/a'))).rejects.toThrow(/is a file where a folder is needed/);
});

it.runIf(isLinux)('a folder that takes no others is named', async () => {
  await expect(makeFolder('test', '/proc/none/a')).rejects.toThrow(/a folder on the way is gone, or takes no files/);
});

it.runIf(isLinux)('a working directory that was removed is named', async () => {
  const script = `
    const { makeFolder } = require(${JSON.stringify(fileURLToPath(new URL('../../src/files/folders.ts', import.meta.url)))});
    process.chdir(${JSON.stringify(await temporary())});
    require('node:fs').rmdirSync(process.cwd());
    makeFolder('test', 'a/b').catch((error) => console.log(error.name, error.message));`;
  const tsx = fileURLToPath(new URL('../../node_modules/tsx/dist/cjs/index.cjs', import.meta.url));
  const { stdout } = spawnSync(process.execPath, ['--require', tsx, '--eval', script], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect(stdout).toMatch(/^FileError test: cannot make the folder 'a\/b': a folder on the way is gone/);
});
