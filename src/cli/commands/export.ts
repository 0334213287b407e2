import type { Command } from 'commander';
import { parseCount } from '../values.js';
import { checkpointOption } from './evaluate.js';

/** `diffrl export` */
export function addExport(program: Command): void {
  program
    .command('export')
    .description('write the policy as an ONNX model that any ONNX runtime can serve')
    .argument('<run>', 'folder of the run')
    .argument('<file>', 'the model to write, such as policy.onnx')
    .option('--rows <count>', 'observations per call', parseCount, 1)
    .addOption(checkpointOption())
    .action(async (path: string, file: string, flags: { rows: number; checkpoint: 'best' | 'latest' }) => {
      const { loadRun } = await import('../../runs/load.js');
      const { exportOnnx } = await import('../../agents/exportOnnx.js');
      const { ArgumentError } = await import('../../errors.js');
      const { agent, environments, step } = await loadRun(path, flags.checkpoint);
      if (!('policyGraph' in agent))
        throw new ArgumentError(`diffrl export: ${agent.name} has no policy graph to export.`);
      await exportOnnx(agent as never, file, { rows: flags.rows });
      await environments.close();
      console.log(`${file}: ${agent.name} as of step ${step}, ${flags.rows} observation(s) a call.`);
    });
}
