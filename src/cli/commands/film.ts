import type { Command } from 'commander';
import { parseCount, parseNumber } from '../values.js';
import { checkpointOption } from './evaluate.js';

/** `diffrl film` */
export function addFilm(program: Command): void {
  program
    .command('film')
    .description('film an episode as an animated SVG (MuJoCo tasks)')
    .argument('<run>', 'folder of the run')
    .option('-o, --out <file>', 'the film (default: film.svg in the folder of the run)')
    .option('-s, --seed <number>', 'of the start', parseCount, 0)
    .option('--fps <number>', 'frames per second', parseNumber, 10)
    .option('--seconds <number>', 'of simulated time at most', parseNumber, 20)
    .addOption(checkpointOption())
    .action(
      async (
        path: string,
        flags: { out?: string; seed: number; fps: number; seconds: number; checkpoint: 'best' | 'latest' },
      ) => {
        const { loadRun } = await import('../../runs/load.js');
        const { film } = await import('../../mujoco/render/film.js');
        const { agent, environments, step } = await loadRun(path, flags.checkpoint);
        const { seed, fps, seconds, out = `${path}/film.svg` } = flags;
        const played = await film({ agent, env: environments.evaluation, path: out, seed, fps, seconds });
        await environments.close();
        console.log(`${out}: ${played.length} steps, return ${played.return.toFixed(1)}, agent of step ${step}.`);
      },
    );
}
