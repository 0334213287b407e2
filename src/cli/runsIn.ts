import { ArgumentError } from '../errors.js';
import { findRuns, type RunFolder } from '../runs/folder.js';

/** The runs that the paths name. @throws ArgumentError for a path without one */
export async function runsIn(paths: readonly string[]): Promise<RunFolder[]> {
  const found: RunFolder[] = [];
  for (const path of paths) {
    const runs = await findRuns(path);
    if (!runs.length)
      throw new ArgumentError(`'${path}' is not the folder of a run (no config.json), and has none in it.`);
    found.push(...runs);
  }
  return found;
}
