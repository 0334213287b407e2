import type { Command } from 'commander';

/** `diffrl verify` */
export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('repeat a run from its config.json and say whether the bytes agree, or to which digit')
    .argument('<run>', 'folder of the run')
    .action(async (path: string) => (await import('../verify.js')).verify(path));
}
