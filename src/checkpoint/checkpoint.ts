import { CheckpointError, FileError } from '../errors.js';
import { requirePath, withFile } from '../files/fileErrors.js';
import { readFileIfPresent, writeFileAtomically } from '../files/files.js';
import { withLock } from '../files/lock.js';
import { nodeModule } from '../files/nodeModules.js';
import { decodeCheckpoint } from './archive.js';
import { type Checkpoint, type CheckpointFile, checkpointFiles, MANIFEST, parseCheckpoint } from './checkpointFiles.js';

/**
 * Writes `checkpoint` to the folder `path`: `checkpoint.json` (kind, config, checksums) and the arrays in the safetensors
 * files that it names. Frozen arrays (see {@link StateArray}) that are there already are not written again.
 * `checkpoint.json` is replaced in one step, as the last thing: whenever the process is killed or the disk is full, the
 * folder holds the previous checkpoint or the new one, whole. Other files in the folder are let alone. Writers of one
 * folder, also of other processes, wait for each other.
 *
 * @throws ArgumentError if `config` is not plain JSON; nothing was written
 * @throws CheckpointError if the folder cannot be written to; nothing is left behind
 */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  requirePath(WRITE, path);
  nodeModule(WRITE, 'node:fs/promises');
  const files = await checkpointFiles(WRITE, checkpoint);
  await asCheckpointError(() => withLock(WRITE, path, () => replace(path, files)));
}

/**
 * Reads the folder `path`, as written by {@link writeCheckpoint}, or the file `path`, as made by {@link encodeCheckpoint} and
 * named `*.zip`, and checks that every byte of it is as it was written.
 *
 * @param kind what the state must belong to; anything by default
 * @throws CheckpointError saying what is missing, damaged or foreign
 */
export async function readCheckpoint(path: string, kind?: string): Promise<Checkpoint> {
  requirePath(READ, path);
  return asCheckpointError(async () =>
    path.endsWith('.zip') ? decodeCheckpoint(await readArchive(path), kind) : readFolder(path, kind),
  );
}

/** Whether the folder `path` holds a checkpoint, damaged or not. */
export async function checkpointExists(path: string): Promise<boolean> {
  requirePath('checkpointExists', path);
  const { join } = nodeModule('checkpointExists', 'node:path');
  return asCheckpointError(
    async () => (await readFileIfPresent('checkpointExists', join(path, MANIFEST))) !== undefined,
  );
}

const WRITE = 'writeCheckpoint';
const READ = 'readCheckpoint';

async function readArchive(path: string): Promise<Uint8Array> {
  const bytes = await readFileIfPresent(READ, path);
  if (bytes) return bytes;
  throw new CheckpointError(`${READ}: there is no file '${path}'.`);
}

/** Reads again if the checkpoint was replaced in the meantime. */
async function readFolder(path: string, kind?: string): Promise<Checkpoint> {
  const { join } = nodeModule(READ, 'node:path');
  const read = (name: string) => readFileIfPresent(READ, join(path, name));
  for (;;) {
    const before = `${await read(MANIFEST)}`;
    try {
      return await parseCheckpoint(READ, `folder '${path}'`, read, kind);
    } catch (error) {
      if (before === `${await read(MANIFEST)}`) throw error;
    }
  }
}

async function replace(path: string, files: readonly CheckpointFile[]): Promise<void> {
  const { join } = nodeModule(WRITE, 'node:path');
  for (const { name, bytes, parts } of files) {
    const target = join(path, name);
    if (name === MANIFEST || !(await hasSize(target, bytes))) await writeFileAtomically(WRITE, target, parts);
  }
  await removeOthers(path, new Set(files.map(({ name }) => name)));
}

async function hasSize(path: string, bytes: number): Promise<boolean> {
  const found = await nodeModule(WRITE, 'node:fs/promises')
    .stat(path)
    .catch(() => undefined);
  return found?.isFile() === true && found.size === bytes;
}

/** Removes older states, and halves of files that a killed process left. */
async function removeOthers(path: string, current: ReadonlySet<string>): Promise<void> {
  const { readdir, rm } = nodeModule(WRITE, 'node:fs/promises');
  const { join } = nodeModule(WRITE, 'node:path');
  await withFile(WRITE, 'clean up', path, async () => {
    const others = (await readdir(path)).filter((name) => OURS.test(name) && !current.has(name));
    await Promise.all(others.map((name) => rm(join(path, name), { force: true })));
  });
}

const OURS = /^((state|rows)-[0-9a-f]{16}\.safetensors|checkpoint\.json)(\.[-\d]+\.tmp)?$/;

async function asCheckpointError<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new CheckpointError(error.message, { cause: error.cause });
  }
}
