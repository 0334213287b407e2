import { CheckpointError } from '../errors.js';
import { decodeCheckpoint } from './archive.js';
import { type Checkpoint, checkpointFiles, MANIFEST, parseCheckpoint } from './checkpointFiles.js';
import { nodeModule, readFileIfPresent, writeFileAtomically } from './files.js';

/**
 * Writes `checkpoint` to the folder `path`: `checkpoint.json` (kind, config, checksums) and the arrays in the
 * safetensors file that it names. `checkpoint.json` is replaced in one step, as the last thing: whenever the process
 * is killed, the folder holds the previous checkpoint or the new one, whole. Other files in the folder are let alone.
 * A folder has one writer at a time.
 *
 * @throws ArgumentError if `config` is not plain JSON; nothing was written
 */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { join } = nodeModule(WRITE, 'node:path');
  const { stateFile, parts, manifest } = await checkpointFiles(WRITE, checkpoint);
  await writeFileAtomically(WRITE, join(path, stateFile), parts);
  await writeFileAtomically(WRITE, join(path, MANIFEST), manifest);
  await removeOthers(path, stateFile);
}

/**
 * Reads the folder `path`, as written by {@link writeCheckpoint}, or the file `path`, as made by {@link encodeCheckpoint} and
 * named `*.zip`, and checks that every byte of it is as it was written.
 *
 * @param kind what the state must belong to; anything by default
 * @throws CheckpointError saying what is missing, damaged or foreign
 */
export async function readCheckpoint(path: string, kind?: string): Promise<Checkpoint> {
  const { join } = nodeModule(READ, 'node:path');
  if (path.endsWith('.zip')) return decodeCheckpoint(await readArchive(path), kind);
  return parseCheckpoint(READ, `folder '${path}'`, (name) => readFileIfPresent(READ, join(path, name)), kind);
}

/** Whether the folder `path` holds a checkpoint, damaged or not. */
export async function checkpointExists(path: string): Promise<boolean> {
  const { join } = nodeModule('checkpointExists', 'node:path');
  return (await readFileIfPresent('checkpointExists', join(path, MANIFEST))) !== undefined;
}

const WRITE = 'writeCheckpoint';
const READ = 'readCheckpoint';

async function readArchive(path: string): Promise<Uint8Array> {
  const bytes = await readFileIfPresent(READ, path);
  if (bytes) return bytes;
  throw new CheckpointError(`${READ}: there is no file '${path}'.`);
}

/** Removes older states, and halves of states that a killed process left. */
async function removeOthers(path: string, current: string): Promise<void> {
  const { readdir, rm } = nodeModule(WRITE, 'node:fs/promises');
  const { join } = nodeModule(WRITE, 'node:path');
  const ours = /^state-[0-9a-f]{16}\.safetensors(\.tmp)?$/;
  const others = (await readdir(path)).filter((name) => ours.test(name) && name !== current);
  await Promise.all(others.map((name) => rm(join(path, name), { force: true })));
}
