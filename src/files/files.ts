import { requirePath, withFile } from './fileErrors.js';
import { makeFolder } from './folders.js';
import { nodeModule } from './nodeModules.js';

/**
 * Replaces the file `path`, as a whole or not at all, and makes its folder. A failure leaves nothing behind.
 *
 * @throws FileError naming the file and what is wrong with it or its disk
 */
export async function writeFileAtomically(
  where: string,
  path: string,
  content: string | readonly Uint8Array[],
): Promise<void> {
  requirePath(where, path);
  const { open, rename, rm } = nodeModule(where, 'node:fs/promises');
  const { dirname } = nodeModule(where, 'node:path');
  await makeFolder(where, dirname(path));
  const temporary = `${path}.${globalThis.process.pid}-${counter++}.tmp`;
  await withFile(where, 'write', path, async () => {
    try {
      const file = await open(temporary, 'w');
      try {
        for (const part of typeof content === 'string' ? [content] : content) await file.writeFile(part);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
  });
}

let counter = 0;

/** Adds `content` to the file `path`. @throws FileError as {@link writeFileAtomically} */
export async function appendToFile(where: string, path: string, content: string | Uint8Array): Promise<void> {
  await withFile(where, 'write', path, () => nodeModule(where, 'node:fs/promises').appendFile(path, content));
}

/**
 * The whole file, or `undefined` where there is none. Node's own `readFile` stops at 2 GiB, this does not.
 *
 * @throws FileError naming the file and why it cannot be read
 */
export async function readFileIfPresent(where: string, path: string): Promise<Uint8Array | undefined> {
  requirePath(where, path);
  const { open } = nodeModule(where, 'node:fs/promises');
  return withFile(where, 'read', path, async () => {
    const file = await open(path).catch(ignoreMissing);
    if (!file) return undefined;
    try {
      const bytes = new Uint8Array((await file.stat()).size);
      let filled = 0;
      while (filled < bytes.length) {
        const length = Math.min(bytes.length - filled, 2 ** 30);
        const { bytesRead } = await file.read(bytes, filled, length, filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } finally {
      await file.close();
    }
  });
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}
