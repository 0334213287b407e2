import { MissingPackageError } from '../errors.js';

/**
 * A module of Node, without an import that bundlers for browsers would stumble over.
 *
 * @param where the public name the user called
 * @throws MissingPackageError outside Node (or another runtime with Node's modules)
 */
export function nodeModule<Name extends keyof NodeModules>(where: string, name: Name): NodeModules[Name] {
  const found = globalThis.process?.getBuiltinModule?.(name);
  if (found) return found as NodeModules[Name];
  throw new MissingPackageError(
    `${where}: files need Node 20.16 or later (${name}). In a browser keep 'await agent.state()' yourself, for example encoded by encodeSafetensors.`,
  );
}

/** Replaces the file `path`, as a whole or not at all, and makes its folder. */
export async function writeFileAtomically(
  where: string,
  path: string,
  content: string | readonly Uint8Array[],
): Promise<void> {
  const { mkdir, open, rename } = nodeModule(where, 'node:fs/promises');
  const { dirname } = nodeModule(where, 'node:path');
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w');
  try {
    for (const part of typeof content === 'string' ? [content] : content) await file.writeFile(part);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** Adds `content` to the file `path`. */
export async function appendToFile(where: string, path: string, content: string | Uint8Array): Promise<void> {
  await nodeModule(where, 'node:fs/promises').appendFile(path, content);
}

/** The whole file, or `undefined` where there is none. Node's own `readFile` stops at 2 GiB, this does not. */
export async function readFileIfPresent(where: string, path: string): Promise<Uint8Array | undefined> {
  const { open } = nodeModule(where, 'node:fs/promises');
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
}

interface NodeModules {
  'node:crypto': typeof import('node:crypto');
  'node:fs/promises': typeof import('node:fs/promises');
  'node:path': typeof import('node:path');
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}
