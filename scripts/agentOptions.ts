/** Writes the tables of options of agents and their pieces in `docs/agents.md`: `npx tsx scripts/agentOptions.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pieceOptions } from '../src/agents/pieceOptions.js';
import { agentClasses } from '../src/agents/registry.js';
import type { OptionTable } from '../src/options.js';

const page = fileURLToPath(new URL('../docs/agents.md', import.meta.url));
const SECTION = /(<!-- options: .*-->\n)[\s\S]*(<!-- end of options -->)/;

/** `text` with the tables as they must be now. */
export function withAgentOptions(text: string): string {
  const ofAgents = Object.entries(agentClasses).map(([name, Class]) => {
    const { options = {} } = Class as { options?: OptionTable };
    return section(`### ${Class.name} (\`${name}\`)`, options);
  });
  const ofPieces = [...new Set(Object.values(pieceOptions))].map((table) => {
    const names = Object.keys(pieceOptions).filter((name) => pieceOptions[name] === table);
    return section(`### ${names.join(', ')}`, table);
  });
  const sections = [...ofAgents, '## Options of pieces', ...ofPieces];
  return text.replace(SECTION, (_, start, end) => `${start}\n${sections.join('\n\n')}\n\n${end}`);
}

function section(title: string, table: OptionTable): string {
  return [title, '', '| option | allowed | default | |', '|---|---|---|---|', ...optionRows(table)].join('\n');
}

function optionRows(table: OptionTable, prefix = ''): string[] {
  return Object.entries(table).flatMap(([name, option]) => {
    if (option.former) return [];
    const path = `\`${prefix}${name}\``;
    if (option.table)
      return [`| ${path} | | | ${cell(option.doc)} |`, ...optionRows(option.table, `${prefix}${name}.`)];
    return [`| ${path} | ${cell(option.allowed)} | ${cell(option.defaultText)} | ${cell(option.doc)} |`];
  });
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('{', '\\{').replaceAll('$', '\\$');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(page, withAgentOptions(readFileSync(page, 'utf8')));
}
