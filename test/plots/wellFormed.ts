import { expect } from 'vitest';

/** Throws unless `svg` is well-formed: every tag closed in order, every `&` an entity. */
export function requireWellFormed(svg: string): void {
  const open: string[] = [];
  for (const [, close, name, selfClosing] of svg.matchAll(/<(\/?)([a-zA-Z]+)(?:\s+[\w:-]+="[^"<]*")*\s*(\/?)>/g)) {
    if (close) expect(open.pop()).toBe(name);
    else if (!selfClosing) open.push(name!);
  }
  expect(open).toEqual([]);
  expect(svg.replace(/<(\/?)([a-zA-Z]+)(?:\s+[\w:-]+="[^"<]*")*\s*(\/?)>/g, '')).not.toMatch(
    /[<>]|&(?!amp;|lt;|gt;|quot;|#39;)/,
  );
}
