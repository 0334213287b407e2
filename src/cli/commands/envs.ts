import type { Command } from 'commander';

/** `diffrl envs` */
export function addEnvs(program: Command): void {
  program
    .command('envs')
    .description('list the environments, or describe one: spaces, limits, presets')
    .argument('[id]', 'one of them, or ./file.ts#function')
    .action(async (id?: string) => {
      const { describeEnvironment, listEnvironments } = await import('../envs.js');
      console.log(id === undefined ? await listEnvironments() : await describeEnvironment(id));
    });
}
