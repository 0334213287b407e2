import { withFile } from './fileErrors.js';
import { nodeModule } from './nodeModules.js';

/**
 * Makes the folder `path` and those above it that are missing. Node's own `recursive` tries for ever where a folder above is
 * there but takes none: below /proc, or in a working directory that was removed.
 *
 * @throws FileError naming the folder and what is wrong with it or its disk
 */
export function makeFolder(where: string, path: string): Promise<void> {
  const { mkdir, stat } = nodeModule(where, 'node:fs/promises');
  const { dirname } = nodeModule(where, 'node:path');
  const isFolder = (folder: string) =>
    stat(folder).then(
      (found) => found.isDirectory(),
      () => false,
    );
  const make = async (folder: string): Promise<void> => {
    if (await isFolder(folder)) return;
    if (dirname(folder) !== folder) await make(dirname(folder));
    await mkdir(folder).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST' || !(await isFolder(folder))) throw error;
    });
  };
  return withFile(where, 'make the folder', path, () => make(path));
}
