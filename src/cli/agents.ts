import { presetLines } from '../agents/presets.js';
import { agentClass, agentClasses } from '../agents/registry.js';

/** All agents, one a line. */
export function listAgents(): string {
  return [
    ...Object.entries(agentClasses).map(([name, { name: title }]) => `${name.padEnd(10)}${title}`),
    '',
    "'diffrl agents NAME' shows its options.",
  ].join('\n');
}

/** The options of an agent. */
export function describeAgent(name: string): string {
  const { name: title } = agentClass('diffrl agents', name);
  const lines = [title, '', 'presets:'];
  for (const [preset, all] of Object.entries(presetLines)) {
    for (const { agents, tasks, options, source } of all) {
      if (agents.includes(name))
        lines.push(`  ${preset}, ${tasks.join(' ')}: ${JSON.stringify(options)}`, `      ${source}`);
    }
  }
  return lines.join('\n');
}
