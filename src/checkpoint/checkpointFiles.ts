import { ArgumentError, CheckpointError, show } from '../errors.js';
import { type MaybePromise, prefixed, type StateDict, substate } from '../state.js';
import { decodeSafetensors, safetensorsParts } from './safetensors.js';
import { sha256 } from './sha256.js';

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

/** The file that names the others; it is written last. */
export const MANIFEST = 'checkpoint.json';

/** The two files of a checkpoint: `stateFile`, made of `parts`, and {@link MANIFEST}. */
export interface CheckpointFiles {
  stateFile: string;
  parts: readonly Uint8Array[];
  manifest: string;
}

/** @param where the public name the user called */
export async function checkpointFiles(where: string, checkpoint: Checkpoint): Promise<CheckpointFiles> {
  const { kind, config, state, training } = checkpoint;
  requireJson(where, config, 'config');
  const parts = safetensorsParts({ ...prefixed('agent', state), ...prefixed('training', training ?? {}) });
  const hash = await sha256(where, parts);
  const stateFile = `state-${hash.slice(0, 16)}.safetensors`;
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  const content = { format: FORMAT, version: VERSION, kind, config, state: { file: stateFile, bytes, sha256: hash } };
  const seal = await sha256(where, [encode(content)]);
  return { stateFile, parts, manifest: `${JSON.stringify({ ...content, sha256: seal }, null, 2)}\n` };
}

/**
 * The checkpoint whose files `read` gives by name, every byte checked.
 *
 * @param where the public name the user called
 * @param place where the files come from, for messages
 * @throws CheckpointError saying what is missing, damaged or foreign
 */
export async function parseCheckpoint(
  where: string,
  place: string,
  read: (name: string) => MaybePromise<Uint8Array | undefined>,
  kind?: string,
): Promise<Checkpoint> {
  const fail = (what: string): never => {
    throw new CheckpointError(`${where}: ${what} (${place}).`);
  };
  const text = await read(MANIFEST);
  if (!text) return fail(`there is no checkpoint, ${MANIFEST} is missing`);
  const { sha256: seal, ...manifest } = parse(text) ?? fail(`${MANIFEST} is damaged, it is not JSON`);
  if (manifest.format !== FORMAT) fail(`${MANIFEST} does not belong to diffrl`);
  if ((await sha256(where, [encode(manifest)])) !== seal) fail(`${MANIFEST} is damaged, its SHA-256 does not fit`);
  if (manifest.version !== VERSION)
    fail(`the checkpoint has version ${manifest.version}, this diffrl reads ${VERSION}`);
  if (kind && manifest.kind !== kind) fail(`the checkpoint belongs to a ${manifest.kind}, not to a ${kind}`);

  const { file, bytes, sha256: hash } = manifest.state;
  const content = await read(file);
  if (!content) return fail(`${file} is missing`);
  if (content.length !== bytes) fail(`${file} has ${content.length} bytes instead of ${bytes}, it is damaged`);
  if ((await sha256(where, [content])) !== hash) fail(`${file} is damaged, its SHA-256 does not fit`);
  const { state } = decodeSafetensors(content);
  const training = substate(state, 'training');
  return {
    kind: manifest.kind,
    config: manifest.config,
    state: substate(state, 'agent'),
    ...(Object.keys(training).length && { training }),
  };
}

const FORMAT = 'diffrl-checkpoint';
const VERSION = 1;

interface Manifest {
  format: string;
  version: number;
  kind: string;
  config: Checkpoint['config'];
  state: { file: string; bytes: number; sha256: string };
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

function requireJson(where: string, value: unknown, name: string): void {
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value ?? 0) === Object.prototype;
  if (isPlain) {
    for (const [key, inner] of Object.entries(value as object)) requireJson(where, inner, `${name}.${key}`);
  } else if (!(value == null || Number.isFinite(value) || ['string', 'boolean'].includes(typeof value))) {
    throw new ArgumentError(`${where}: ${name} must be plain JSON with finite numbers, got ${show(value)}.`);
  }
}
