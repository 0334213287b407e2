import { pieceOptions } from '../agents/pieceOptions.js';
import { presetLines } from '../agents/presets.js';
import { agentClass, agentClasses } from '../agents/registry.js';
import type { OptionTable } from '../options.js';

/** All agents, one a line. */
export function listAgents(): string {
  const width = Math.max(...Object.keys(agentClasses).map((name) => name.length)) + 2;
  const lines = Object.entries(agentClasses).map(([name, { name: title }]) => `${name.padEnd(width)}${title}`);
  const pieces = `... and those of a piece: ${Object.keys(pieceOptions).join(', ')}.`;
  return [...lines, '', "'diffrl agents NAME' shows its options,", pieces].join('\n');
}

/** The options of an agent or of a piece with what they may be and their defaults, and an agent's presets. */
export function describeAgent(name: string): string {
  if (Object.hasOwn(pieceOptions, name)) return [name, '', ...optionLines(pieceOptions[name]!)].join('\n');
  const Class = agentClass('diffrl agents', name);
  const { options } = Class as { options?: OptionTable };
  const lines = [
    Class.name,
    ...(options ? ['', 'options (--set name=value):', ...optionLines(options)] : []),
    '',
    'presets:',
  ];
  for (const [preset, all] of Object.entries(presetLines)) {
    for (const { agents, tasks, options: given, source } of all) {
      if (!agents.includes(name)) continue;
      lines.push(`  ${preset}, ${tasks.join(' ')}: ${JSON.stringify(given)}`, `      ${source}`);
    }
  }
  return lines.join('\n');
}

function optionLines(table: OptionTable, prefix = ''): string[] {
  return Object.entries(table).flatMap(([name, option]) => {
    if (option.former) return [];
    const head = `  ${`${prefix}${name}`.padEnd(30)} ${option.doc}`;
    if (option.table) return [head, ...optionLines(option.table, `${prefix}${name}.`)];
    return [head, `  ${''.padEnd(30)} ${option.allowed}; default ${option.defaultText}`];
  });
}
