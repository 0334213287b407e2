import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const { exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
const entries = Object.keys(exports).filter((entry) => entry !== './package.json');

/** The names that an entry exports, types among them, as its index lists them one by one. */
function namesOf(entry: string): string[] {
  const file = new URL(`src/${entry === '.' ? '' : `${entry.slice(2)}/`}index.ts`, root);
  const text = readFileSync(fileURLToPath(file), 'utf8');
  expect(text, `${entry}: names are listed one by one`).not.toMatch(/^export (type )?\*/m);
  const lists = [...text.matchAll(/^export (type )?\{([^}]*)\} from/gm)];
  return lists.flatMap(([, allTypes, list]) =>
    list!
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean)
      .map(
        (name) => `${allTypes || name.startsWith('type ') ? 'type ' : ''}${name.replace(/^(type )?(\w+ as )?/, '')}`,
      ),
  );
}

it('public are the names in publicNames.txt and no others', async () => {
  const list = entries.map((entry) => {
    const names = namesOf(entry).sort((a, b) => a.replace('type ', '').localeCompare(b.replace('type ', ''), 'en'));
    expect(new Set(names).size).toBe(names.length);
    return [entry.replace('.', 'diffrl'), ...names.map((name) => `  ${name}`)].join('\n');
  });
  // After a change on purpose: npx vitest run test/package/publicNames -u
  await expect(`${list.join('\n')}\n`).toMatchFileSnapshot('publicNames.txt');
});
