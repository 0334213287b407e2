import { readdirSync, readFileSync } from 'node:fs';
import katex from 'katex';
import { expect, it } from 'vitest';
import { root } from './snippets.js';

/** Doc comments of all sources and all guides, by path. */
function texts(): [path: string, text: string][] {
  const sources = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  const guides = readdirSync(`${root}docs`).filter((path) => path.endsWith('.md'));
  const comments = (code: string) => (code.match(/\/\*\*[\s\S]*?\*\//g) ?? []).join('\n').replace(/^ *\* ?/gm, '');
  return [
    ...sources.map((path) => [`src/${path}`, comments(readFileSync(`${root}src/${path}`, 'utf8'))] as [string, string]),
    ...guides.map((path) => [`docs/${path}`, readFileSync(`${root}docs/${path}`, 'utf8')] as [string, string]),
  ];
}

it('all formulas of the documentation can be rendered', () => {
  let count = 0;
  for (const [path, text] of texts()) {
    const prose = text.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '');
    for (const [, display, inline] of prose.matchAll(/\$\$([\s\S]+?)\$\$|\$(\S(?:[^$\n]*\S)?)\$/g)) {
      const formula = (display ?? inline) as string;
      expect(() => katex.renderToString(formula, { throwOnError: true }), `${path}: ${formula}`).not.toThrow();
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(10);
});
