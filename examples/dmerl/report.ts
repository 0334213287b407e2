/** What the experiments of this folder share: options, a table and figures on disk, and how long it took. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Figure } from 'diffrl';

/** Values of `--name value` options by name; numbers and lists of numbers where the default is one. */
export function options<T extends Record<string, number | string | readonly number[]>>(defaults: T): T {
  const names = Object.keys(defaults);
  const { values } = parseArgs({
    options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
  });
  const given = names.map((name) => [
    name,
    values[name] === undefined ? defaults[name] : parsed(defaults[name], `${values[name]}`),
  ]);
  return Object.fromEntries(given) as T;
}

function parsed(like: unknown, text: string): unknown {
  if (Array.isArray(like)) return text.split(',').map(Number);
  return typeof like === 'number' ? Number(text) : text;
}

/** Rows of cells as a Markdown table; numbers with three significant digits. */
export function table(head: readonly string[], rows: readonly (readonly (number | string)[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows.map((row) => row.map(cell))];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function cell(value: number | string): string {
  if (typeof value === 'string' || Number.isInteger(value)) return `${value}`;
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Prints and writes `runs/dmerl/NAME.md` (with the command and the time it took) and `NAME.svg`. */
export async function report(name: string, started: number, tables: readonly string[], figure?: Figure): Promise<void> {
  const folder = join('runs', 'dmerl');
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  const command = ['npx tsx', `examples/dmerl/${name}.ts`, ...process.argv.slice(2)].join(' ');
  const text = [`# ${name}`, ...tables, `\`${command}\`, ${seconds} s.`].join('\n\n');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.md`), `${text}\n`);
  if (figure) await writeFile(join(folder, `${name}.svg`), figure.svg);
  console.log(text);
}
