import type { Command } from 'commander';

/** `diffrl agents` */
export function addAgents(program: Command): void {
  program
    .command('agents')
    .description('list the agents, or show one with its options, their defaults and presets')
    .argument('[name]', 'one of them, or a piece of one such as EulerMaruyamaSampler')
    .action(async (name?: string) => {
      const { describeAgent, listAgents } = await import('../agents.js');
      console.log(name === undefined ? listAgents() : describeAgent(name));
    });
}
