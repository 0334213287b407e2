import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findSnippets, parseSnippets, root, typeErrors } from './snippets.js';

const folder = `${root}runs/snippets`;
const snippets = findSnippets();

beforeAll(() => mkdirSync(folder, { recursive: true }));
afterAll(() => rmSync(folder, { recursive: true }));

describe('snippets of the documentation', () => {
  it('are well-typed', () => {
    expect(snippets.length).toBeGreaterThan(0);
    expect(typeErrors(snippets)).toEqual({});
  });

  const runnable = snippets.map((snippet, i) => ({ ...snippet, i })).filter(({ runs }) => runs);
  it.each(runnable)('$name runs', async ({ code, i }) => {
    const here = process.cwd();
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const path = `${folder}/snippet${i}.ts`;
    writeFileSync(path, code);
    process.chdir(folder);
    try {
      await import(path);
    } finally {
      process.chdir(here);
      log.mockRestore();
    }
  });
});

describe('the harness', () => {
  const text = [
    '# A guide',
    '```ts',
    "const first: number = 'one';",
    '```',
    '<!--ts',
    'const unseen = 2;',
    '-->',
    '```ts continued run',
    'const sum: string = first + unseen;',
    '```',
    '```sh',
    'ls',
    '```',
    '',
  ].join('\n');

  it('finds snippets, joins what belongs together and names the line of a fault', () => {
    const found = parseSnippets('guide.md', text);
    expect(found.map(({ name, runs }) => [name, runs])).toEqual([
      ['guide.md:2', false],
      ['guide.md:8', true],
    ]);
    expect(found[1]!.lines).toEqual([3, 6, 9]);
    expect(typeErrors(found)).toEqual({
      'guide.md:2': ["3: Type 'string' is not assignable to type 'number'."],
      'guide.md:8': [
        "3: Type 'string' is not assignable to type 'number'.",
        "9: Type 'number' is not assignable to type 'string'.",
      ],
    });
  });
});
