import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const src = join(root, 'src');

/** Floors by room, as docs/architecture.md tells them; rooms apart are above all. */
function floors(): Map<string, number> {
  const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (\d|apart) \| (.*) \|$/gm)];
  const rooms = ([, floor, text]: RegExpMatchArray) => {
    const names = text!.split(', by family')[0]!.matchAll(/`(\w+)`/g);
    return [...names].map(([, room]) => [room!, floor === 'apart' ? 9 : Number(floor)] as const);
  };
  return new Map(rows.flatMap(rooms));
}

const roomOf = (path: string) =>
  relative(src, path)
    .split('/')[0]!
    .replace(/\.(ts|js)$/, '');

/** Imports of values, room by room: `from -> to` with the file. Types cost nothing and may look up. */
function imports(): [string, string, string][] {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return files.flatMap((name) => {
    const path = join(src, name);
    const statements = readFileSync(path, 'utf8').matchAll(/^(?:import|export) (?!type )[^;]*? from '(\.[^']+)';/gm);
    return [...statements].map(([, target]): [string, string, string] => {
      return [roomOf(path), roomOf(join(dirname(path), target!)), name];
    });
  });
}

it('every room stands on a floor that docs/architecture.md names', () => {
  const rooms = readdirSync(src).map((name) => name.replace(/\.ts$/, ''));
  const known = floors();
  expect(rooms.filter((room) => room !== 'index' && !known.has(room))).toEqual([]);
});

it('a file imports only from its own floor and those below', () => {
  const known = floors();
  const upwards = imports().filter(([from, to]) => from !== 'index' && known.get(to)! > known.get(from)!);
  expect(upwards.map(([from, to, name]) => `${name}: ${from} -> ${to}`)).toEqual([]);
});
