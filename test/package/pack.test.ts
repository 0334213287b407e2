import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A checkout where nothing is built; building takes no time there. */
function freshCheckout(): string {
  const folder = mkdtempSync(join(tmpdir(), 'diffrl-pack-'));
  cpSync(join(root, '.npmrc'), join(folder, '.npmrc'));
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const build = `node -e "fs.mkdirSync('dist'); fs.writeFileSync('dist/built.js', '')"`;
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, scripts: { ...manifest.scripts, build } }));
  return folder;
}

it('npm run pack builds before it packs, though install scripts are off', { timeout: 60_000 }, () => {
  const text = execFileSync('npm', ['run', '--silent', 'pack', '--', '--json'], {
    cwd: freshCheckout(),
    encoding: 'utf8',
  });
  const [{ files }] = JSON.parse(text.slice(text.search(/^\[/m))) as [{ files: { path: string }[] }];
  expect(files.map(({ path }) => path)).toContain('dist/built.js');
});
