import type { Command } from 'commander';

/** `diffrl watch` */
export function addWatch(program: Command): void {
  program
    .command('watch')
    .description('a table of how far runs are, live in a terminal')
    .argument('<runs...>', 'folders of runs, or folders with runs in them')
    .action(async (paths: string[]) => (await import('../watch.js')).watch(paths));
}
