import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { parseCount } from '../values.js';

/** `diffrl work`: what the pool and Slurm start, one process for each run. */
export function addWork(program: Command): void {
  program
    .command('work', { hidden: true })
    .description('work on one run, quietly; ends with 0 (complete), 75 (interrupted and saved) or 1 (failed)')
    .argument('[run]', 'folder of the run')
    .option('--until <step>', 'pause at this step', parseCount)
    .addOption(new Option('--tasks <file>', 'file with a folder in each line').implies({ index: 0 }))
    .option('--index <number>', 'line of the file, from 0', parseCount)
    .action(async (run: string | undefined, flags: { until?: number; tasks?: string; index?: number }) => {
      const path = run ?? readFileSync(flags.tasks as string, 'utf8').split('\n')[flags.index as number];
      const { work } = await import('../work.js');
      process.exitCode = await work(path as string, flags.until);
    });
}
