import type { Command } from 'commander';

/** `diffrl compare` */
export function addCompare(program: Command): void {
  program
    .command('compare')
    .description('compare groups of runs that differ in their seeds only: IQM, interval, probability of improvement')
    .argument('<runs...>', 'folders of runs, or folders with runs in them')
    .option('--metric <name>', 'a column of progress.csv instead of the return of evaluations')
    .option('--svg <file>', 'draw learning curves with intervals, a panel for each task')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nIQM: mean of the middle half of the runs; intervals of 95 % by stratified bootstrap (Agarwal et al. 2021).',
    )
    .action(async (paths: string[], flags: { metric?: string; svg?: string; json?: boolean }) => {
      const { compareRuns } = await import('../compare.js');
      await compareRuns(paths, flags);
    });
}
