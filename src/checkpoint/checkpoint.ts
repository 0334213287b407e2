import { ArgumentError, CheckpointError, show } from '../errors.js';
import { prefixed, type StateDict, substate } from '../state.js';
import { nodeModule, readFileIfPresent, writeFileAtomically } from './files.js';
import { decodeSafetensors, safetensorsParts } from './safetensors.js';

/** What JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json | undefined };

/** What a checkpoint folder holds. */
export interface Checkpoint {
  /** What the state belongs to, such as `DimeAgent`. */
  kind: string;
  /** How to build it again: plain JSON with finite numbers. */
  config: { [key: string]: Json | undefined };
  /** All that training changed in it. */
  state: StateDict;
  /** The state of the training run, where the checkpoint was written by one. */
  training?: StateDict;
}

/**
 * Writes `checkpoint` to the folder `path`: `checkpoint.json` (kind, config, checksums) and the arrays in the
 * safetensors file that it names. `checkpoint.json` is replaced in one step, as the last thing: whenever the process
 * is killed, the folder holds the previous checkpoint or the new one, whole. Other files in the folder are let alone.
 * A folder has one writer at a time.
 *
 * @throws ArgumentError if `config` is not plain JSON; nothing was written
 */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { kind, config, state, training } = checkpoint;
  requireJson(config, 'config');
  const { join } = nodeModule(WRITE, 'node:path');
  const parts = safetensorsParts({ ...prefixed('agent', state), ...prefixed('training', training ?? {}) });
  const sha256 = hash(parts);
  const file = `state-${sha256.slice(0, 16)}.safetensors`;
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  const content = { format: FORMAT, version: VERSION, kind, config, state: { file, bytes, sha256 } };
  await writeFileAtomically(WRITE, join(path, file), parts);
  await writeFileAtomically(WRITE, join(path, MANIFEST), sealed(content));
  await removeOthers(path, file);
}

/**
 * Reads the folder `path`, as written by {@link writeCheckpoint}, and checks that every byte of it is as it was written.
 *
 * @param kind what the state must belong to; anything by default
 * @throws CheckpointError saying what is missing, damaged or foreign
 */
export async function readCheckpoint(path: string, kind?: string): Promise<Checkpoint> {
  const { join } = nodeModule(READ, 'node:path');
  const fail = (what: string): never => {
    throw new CheckpointError(`${READ}: ${what} (folder '${path}').`);
  };
  const text = await readFileIfPresent(READ, join(path, MANIFEST));
  if (!text) return fail(`there is no checkpoint, ${MANIFEST} is missing`);
  const { sha256: seal, ...manifest } = parse(text) ?? fail(`${MANIFEST} is damaged, it is not JSON`);
  if (manifest.format !== FORMAT) fail(`${MANIFEST} does not belong to diffrl`);
  if (hash([encode(manifest)]) !== seal) fail(`${MANIFEST} is damaged, its SHA-256 does not fit`);
  if (manifest.version !== VERSION)
    fail(`the checkpoint has version ${manifest.version}, this diffrl reads ${VERSION}`);
  if (kind && manifest.kind !== kind) fail(`the checkpoint belongs to a ${manifest.kind}, not to a ${kind}`);

  const { file, bytes, sha256 } = manifest.state;
  const content = await readFileIfPresent(READ, join(path, file));
  if (!content) return fail(`${file} is missing`);
  if (content.length !== bytes) fail(`${file} has ${content.length} bytes instead of ${bytes}, it is damaged`);
  if (hash([content]) !== sha256) fail(`${file} is damaged, its SHA-256 does not fit`);
  const { state } = decodeSafetensors(content);
  const training = substate(state, 'training');
  return {
    kind: manifest.kind,
    config: manifest.config,
    state: substate(state, 'agent'),
    ...(Object.keys(training).length && { training }),
  };
}

/** Whether the folder `path` holds a checkpoint, damaged or not. */
export async function checkpointExists(path: string): Promise<boolean> {
  const { join } = nodeModule('checkpointExists', 'node:path');
  return (await readFileIfPresent('checkpointExists', join(path, MANIFEST))) !== undefined;
}

const WRITE = 'writeCheckpoint';
const READ = 'readCheckpoint';
const FORMAT = 'diffrl-checkpoint';
const VERSION = 1;
const MANIFEST = 'checkpoint.json';

interface Manifest {
  format: string;
  version: number;
  kind: string;
  config: Checkpoint['config'];
  state: { file: string; bytes: number; sha256: string };
}

/** `manifest` as JSON with a checksum of itself. */
function sealed(manifest: Manifest): string {
  return `${JSON.stringify({ ...manifest, sha256: hash([encode(manifest)]) }, null, 2)}\n`;
}

function encode(manifest: Manifest): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(manifest));
}

function parse(text: Uint8Array): (Manifest & { sha256: string }) | undefined {
  try {
    return Object(JSON.parse(new TextDecoder().decode(text)));
  } catch {
    return undefined;
  }
}

function hash(parts: readonly Uint8Array[]): string {
  const sha256 = nodeModule(READ, 'node:crypto').createHash('sha256');
  for (const part of parts) sha256.update(part);
  return sha256.digest('hex');
}

/** Removes older states, and halves of states that a killed process left. */
async function removeOthers(path: string, current: string): Promise<void> {
  const { readdir, rm } = nodeModule(WRITE, 'node:fs/promises');
  const { join } = nodeModule(WRITE, 'node:path');
  const ours = /^state-[0-9a-f]{16}\.safetensors(\.tmp)?$/;
  const others = (await readdir(path)).filter((name) => ours.test(name) && name !== current);
  await Promise.all(others.map((name) => rm(join(path, name), { force: true })));
}

function requireJson(value: unknown, name: string): void {
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value ?? 0) === Object.prototype;
  if (isPlain) {
    for (const [key, inner] of Object.entries(value as object)) requireJson(inner, `${name}.${key}`);
  } else if (!(value == null || Number.isFinite(value) || ['string', 'boolean'].includes(typeof value))) {
    throw new ArgumentError(`${WRITE}: ${name} must be plain JSON with finite numbers, got ${show(value)}.`);
  }
}
