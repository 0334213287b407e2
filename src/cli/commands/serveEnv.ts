import { type Command, Option } from 'commander';
import type { JsonObject } from '../../agents/optionsJson.js';
import { collectSetting, parseCount } from '../values.js';

interface Flags {
  envs: number;
  host: string;
  port: number;
  token?: string;
  envSet?: JsonObject;
}

/** `diffrl serve-env` */
export function addServeEnv(program: Command): void {
  program
    .command('serve-env')
    .description('serve an environment to other processes and machines, until Ctrl-C')
    .argument('<id>', "one of 'diffrl envs', or ./file.ts#function of your own")
    .option('--envs <count>', 'environments that a connection can have', parseCount, 1)
    .option('--host <address>', 'where to listen; beyond this machine with a token only', '127.0.0.1')
    .option('--port <number>', '0: any free one', parseCount, 5555)
    .addOption(new Option('--token <secret>', 'what whoever connects must know').env('DIFFRL_TOKEN'))
    .option('--env-set <name=value>', 'an option of the environment', collectSetting)
    .action(async (id: string, { envs, host, port, token, envSet }: Flags) => {
      const { makeEnvironment } = await import('../../runs/environment.js');
      const { serveEnv } = await import('../../remote/serveEnv.js');
      const { interruption } = await import('../interruption.js');
      const make = () => makeEnvironment('diffrl serve-env', id, envSet);
      const probe = await make(); // a wrong name is told now
      await probe.close?.();
      const server = await serveEnv(make, { numEnvs: envs, host, port, token });
      console.log(`serving ${id} at ${server.address}`);
      await new Promise((resolve) => interruption.addEventListener('abort', resolve, { once: true }));
      await server.close();
    });
}
