import type { Command } from 'commander';

/** `diffrl plot` */
export function addPlot(program: Command): void {
  program
    .command('plot')
    .description('draw a metric over environment steps as SVG')
    .argument('<runs...>', 'folders of runs, or folders with runs in them')
    .option('-o, --out <file>', 'the picture', 'plot.svg')
    .option(
      '--metric <name>',
      'a column of progress.csv: loss/critic, policy/temperature ... (default: the return of evaluations)',
    )
    .option('--title <text>', 'title of the picture')
    .action(async (paths: string[], flags: { out: string; metric?: string; title?: string }) => {
      const { plotRuns } = await import('../compare.js');
      await plotRuns(paths, flags);
    });
}
