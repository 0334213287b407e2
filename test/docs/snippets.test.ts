import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { format } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  findExamples,
  findSnippets,
  parseExamples,
  parseSnippets,
  root,
  statedOutputs,
  typeErrors,
} from './snippets.js';

const folder = `${root}runs/snippets`;
const snippets = findSnippets();
const examples = findExamples().map((example, i) => ({ ...example, i }));

beforeAll(() => mkdirSync(folder, { recursive: true }));
afterAll(() => rmSync(folder, { recursive: true }));

describe('snippets of the documentation', () => {
  it('are well-typed, as are examples in comments', () => {
    expect(snippets.length).toBeGreaterThan(0);
    expect(examples.length).toBeGreaterThan(10);
    expect(typeErrors([...snippets, ...examples])).toEqual({});
  });

  const runnable = snippets.map((snippet, i) => ({ ...snippet, i })).filter(({ runs }) => runs);
  it.each(runnable)('$name runs', async ({ code, i }) => void (await printed(`snippet${i}`, code)));
});

describe('examples in comments', () => {
  it.each(examples)('$name prints what it says', async (example) => {
    const outputs = statedOutputs(example);
    expect(outputs.length).toBeGreaterThan(0);
    expect(await printed(`example${example.i}`, example.code)).toEqual(outputs);
  });
});

/** Runs `code` in a folder of its own; the lines that it printed. */
async function printed(name: string, code: string): Promise<string[]> {
  const here = process.cwd();
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...values) => void lines.push(format(...values)));
  const path = `${folder}/${name}.ts`;
  writeFileSync(path, code);
  process.chdir(folder);
  try {
    await import(path);
    return lines;
  } finally {
    process.chdir(here);
    log.mockRestore();
  }
}

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

  it('finds the examples of comments by their line, and what they say they print', () => {
    const source = [
      '/**',
      ' * A thing.',
      ' * ```ts run',
      " * console.log('a'); // a",
      ' * ```',
      ' */',
      'export {};',
    ].join('\n');
    const [example] = parseExamples('src/thing.ts', source);
    expect(example!.name).toBe('src/thing.ts:3');
    expect(statedOutputs(example!)).toEqual(['a']);
  });
});
