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
    .option('--max-frames <count>', 'frames at most', parseCount, 300)
    .addOption(checkpointOption())
    .action(
      async (
        path: string,
        flags: { out?: string; seed: number; fps: number; maxFrames: number; checkpoint: 'best' | 'latest' },
      ) => {
        const { loadRun } = await import('../../runs/load.js');
        const { filmEpisode } = await import('../../runs/film.js');
        const { writeFileAtomically } = await import('../../files/files.js');
        const { agent, environments, step } = await loadRun(path, flags.checkpoint);
        const film = await filmEpisode(agent, await environments.another(), flags);
        const out = flags.out ?? `${path}/film.svg`;
        await writeFileAtomically('diffrl film', out, film.svg);
        await environments.close();
        console.log(`${out}: ${film.frames} frames, return ${film.return.toFixed(1)}, agent of step ${step}.`);
      },
    );
}
