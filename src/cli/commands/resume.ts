import type { Command } from 'commander';
import { parseDuration, parsePositiveCount } from '../values.js';

/** `diffrl resume` */
export function addResume(program: Command): void {
  program
    .command('resume')
    .description('go on with interrupted runs from their latest checkpoints, bit for bit')
    .argument('<runs...>', 'folders of runs, or folders with runs in them')
    .option('-n, --steps <count>', 'go on to this step, beyond the end that was planned', parsePositiveCount)
    .option('--time-limit <time>', 'save and end after 90s, 30m or 2h', parseDuration)
    .action(async (paths: string[], { steps, timeLimit }: { steps?: number; timeLimit?: number }) => {
      const { runsIn } = await import('../runsIn.js');
      const { trainHere, shown, tellFailure } = await import('../train.js');
      const { INTERRUPTED, interruptAfter, interruption } = await import('../interruption.js');
      if (timeLimit) interruptAfter(timeLimit);
      for (const folder of await runsIn(paths)) {
        if (interruption.aborted) break;
        const { state, step } = await folder.status();
        if (state === 'finished' && !((steps ?? 0) > step)) console.log(`${shown(folder)} is complete.`);
        else await trainHere(folder, steps).catch((error) => tellFailure(folder, error));
      }
      if (!interruption.aborted) return;
      process.exitCode = INTERRUPTED;
      console.log(`Interrupted. Go on with: diffrl resume ${paths.join(' ')}`);
    });
}
