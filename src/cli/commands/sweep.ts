import { type Command, Option } from 'commander';
import { parsePositiveCount } from '../values.js';

/** `diffrl sweep` */
export function addSweep(program: Command): void {
  program
    .command('sweep')
    .description(
      'work through all runs that a file asks for, here or on a cluster; call it again after any interruption',
    )
    .argument(
      '<file>',
      'YAML or JSON: agents, envs, seeds, settings of a run, agentOptions, vectorEnvs, grid, random, halving, local, slurm',
    )
    .addOption(
      new Option('--on <where>', 'processes of this machine, or job arrays of Slurm')
        .choices(['local', 'slurm'])
        .default('local'),
    )
    .option('-j, --jobs <count>', 'runs at the same time on this machine', parsePositiveCount)
    .option('-o, --out <folder>', 'where the runs go (default: sweeps/<name of the file>)')
    .option('--retry', 'take up failed runs again')
    .option('--status', 'only say how far the runs are')
    .option('--report', 'only write the report')
    .addHelpText(
      'after',
      `
A file:
  agents: [dime, sdac]
  envs: [Pendulum, HalfCheetah-v5]
  seeds: 0..4
  steps: 50000
  grid: { actorLearningRate: [3e-4, 1e-3] }
  random: { samples: 8, options: { batchSize: { choice: [128, 256] }, gamma: { uniform: [0.95, 0.995] } } }
  agentOptions: { dime: { policyDelay: 2 } }
  vectorEnvs: 4                           # environments side by side in each run
  halving: { rungs: 3, factor: 2 }        # compare on the way, go on with the better half
  local: { jobs: 2 }
  slurm: { partition: main, time: 12:00:00, memory: 4G, cpus: 2, arrayLimit: 20 }

Complete runs are skipped, interrupted ones go on, failed ones are reported with their last lines.`,
    )
    .action(async (file: string, flags: SweepFlags) => {
      const { sweep } = await import('../sweep.js');
      await sweep(file, flags);
    });
}

/** What the command was told. */
export interface SweepFlags {
  on: 'local' | 'slurm';
  jobs?: number;
  out?: string;
  retry?: boolean;
  status?: boolean;
  report?: boolean;
}
