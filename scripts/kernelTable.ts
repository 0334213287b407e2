/** Writes the table of kernels in `docs/compile.md`: `npx tsx scripts/kernelTable.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { KERNEL_FAMILIES, UNSUPPORTED } from '../src/compile/kernels/index.js';

const page = fileURLToPath(new URL('../docs/compile.md', import.meta.url));
const SECTION = /(<!-- kernels: .*-->\n)[\s\S]*(<!-- end of kernels -->)/;

/** `text` with the table as it must be now. */
export function withKernelTable(text: string): string {
  const names = (kernels: readonly string[]) => kernels.map((name) => `\`${name}\``).join(', ');
  const covered = Object.entries(KERNEL_FAMILIES).map(([family, emitters]) => [family, Object.keys(emitters)] as const);
  const refused = Object.entries(UNSUPPORTED).map(([reason, kernels]) => [`not compiled: ${reason}`, kernels] as const);
  const rows = [...covered, ...refused].map(([title, kernels]) => `| ${title} | ${names(kernels)} |`);
  return text.replace(SECTION, ['$1', '| | kernels |', '|---|---|', ...rows, '', '$2'].join('\n'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(page, withKernelTable(readFileSync(page, 'utf8')));
}
