import type { Command } from 'commander';
import { parseCount } from '../values.js';

/** `diffrl check` */
export function addCheck(program: Command): void {
  program
    .command('check')
    .description('look for violations of the contract of environments in one of your own')
    .argument('<module>', './file.ts#function, or an id')
    .option('-n, --steps <count>', 'steps of each trial', parseCount, 200)
    .action(async (name: string, { steps }: { steps: number }) => {
      const { makeEnvironment } = await import('../../runs/environment.js');
      const { checkEnv } = await import('../../envs/checkEnv.js');
      const env = await makeEnvironment('diffrl check', name);
      const advice = await checkEnv(env, { steps, close: true });
      console.log(`${env.id ?? name} keeps the contract of environments.`);
      for (const line of advice) console.log(`advice: ${line}`);
    });
}
