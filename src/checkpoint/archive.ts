import { type Unzipped, unzipSync, zipSync } from 'fflate';
import { CheckpointError } from '../errors.js';
import { joinBytes } from './bytes.js';
import { type Checkpoint, checkpointFiles, MANIFEST, parseCheckpoint } from './checkpointFiles.js';

/**
 * `checkpoint` as one file: a ZIP archive of what {@link writeCheckpoint} writes to a folder. {@link readCheckpoint} reads
 * it as well as the unpacked folder.
 *
 * @throws ArgumentError if `config` is not plain JSON
 */
export async function encodeCheckpoint(checkpoint: Checkpoint): Promise<Uint8Array> {
  const files = await checkpointFiles('encodeCheckpoint', checkpoint);
  const contents = Object.fromEntries(files.map(({ name, parts }) => [name, joinBytes(parts)]));
  return zipSync(contents, { level: 0, mtime: '1980-01-01T00:00:00' });
}

/**
 * Reads what {@link encodeCheckpoint} returned, every byte checked.
 *
 * @param kind what the state must belong to; anything by default
 * @throws CheckpointError saying what is missing, damaged or foreign
 */
export async function decodeCheckpoint(bytes: Uint8Array, kind?: string): Promise<Checkpoint> {
  const files = unzip(bytes);
  // A packed folder has its name before those of the files.
  const folder = Object.keys(files).find((name) => name === MANIFEST || name.endsWith(`/${MANIFEST}`)) ?? MANIFEST;
  const prefix = folder.slice(0, -MANIFEST.length);
  return parseCheckpoint('decodeCheckpoint', 'a file', (name) => files[prefix + name], kind);
}

function unzip(bytes: Uint8Array): Unzipped {
  try {
    return unzipSync(bytes);
  } catch (cause) {
    throw new CheckpointError('decodeCheckpoint: the file is no checkpoint: it is damaged or no ZIP archive.', {
      cause,
    });
  }
}
