import type { Agent } from '../../agents/agent.js';
import { requireInteger } from '../../errors.js';
import { requirePath } from '../../files/fileErrors.js';
import { writeFileAtomically } from '../../files/files.js';
import { requireOptions } from '../../options.js';
import type { TrainingCallback } from '../callback.js';

export interface FilmingOptions {
  /** Environment steps between two films, >= 1. */
  every: number;
  /** Plays an episode and returns the picture of it, an SVG. Must not change the agent or the environment of training. */
  film(agent: Agent): Promise<string>;
}

/** Writes a film to `folder/step<N>.svg` every so many environment steps. */
export function filming(folder: string, options: FilmingOptions): TrainingCallback {
  requirePath('filming', folder, 'folder');
  const { every, film } = requireOptions('filming', options, { every: true, film: true });
  requireInteger('filming', 'every', every, { min: 1 });
  return {
    async onStepEnd(run) {
      if (!run.isDue(every)) return;
      const name = `step${String(run.step).padStart(9, '0')}.svg`;
      await writeFileAtomically('filming', `${folder}/${name}`, await film(run.agent));
    },
  };
}
