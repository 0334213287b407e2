import { type Command, Option } from 'commander';
import type { EvaluateFlags } from '../evaluate.js';
import { collectSetting, parseCount, parsePositiveCount } from '../values.js';

/** Which checkpoint of a run a command takes. */
export const checkpointOption = () =>
  new Option('-c, --checkpoint <which>', 'the best one or the latest').choices(['best', 'latest']).default('best');

/** `diffrl evaluate` */
export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('play episodes without exploration and print their returns')
    .argument('<runs...>', 'folders of runs, or folders with runs in them')
    .option('-n, --episodes <count>', 'episodes', parsePositiveCount, 20)
    .option('-s, --seed <number>', 'of the first start', parseCount, 2000)
    .addOption(checkpointOption())
    .option(
      '--set <name=value>',
      "an option in place of the run's, as in --set particles=64 or --set evaluation=ode",
      collectSetting,
    )
    .option('--json', 'print one JSON object a line')
    .action(async (paths: string[], flags: EvaluateFlags) => {
      const { evaluateRuns } = await import('../evaluate.js');
      await evaluateRuns(paths, flags);
    });
}
