import { ArgumentError, CheckpointError, requireNamed, requireObject, requireText, show } from '../errors.js';
import { type MaybePromise, prefixed, requireState, type StateArray, type StateDict, substate } from '../state.js';
import { decodeSafetensors, safetensorsParts } from './safetensors.js';
import { sha256 } from './sha256.js';

/** What JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json | undefined };

/** What a checkpoint holds. */
export interface Checkpoint {
  /** What the state belongs to, such as `DimeAgent`. */
  kind: string;
  /** How to build it again: plain JSON with finite numbers. */
  config: { [key: string]: Json | undefined };
  /** All that training changed in it. */
  state: StateDict;
  /** The state of the training run, where the checkpoint was written by one. */
  training?: StateDict | undefined;
}

/** One file of a checkpoint. A name that was used before stands for the same content. */
export interface CheckpointFile {
  name: string;
  /** Its size. */
  bytes: number;
  /** Its content, piece by piece. */
  parts: readonly Uint8Array[];
}

/** Name of the file that says what a checkpoint is and which files belong to it. */
export const MANIFEST = 'checkpoint.json';

/**
 * `checkpoint` as files: safetensors files of its arrays, named after their content, and as the last one
 * {@link MANIFEST} (kind, config, checksums), to be stored when the others are. Frozen arrays (see {@link StateArray})
 * go into files of their own, group by group (`replay/rows3/...`), which stay what they are from one checkpoint to the
 * next; everything else is in one. Nothing is copied: the parts are views of the arrays.
 *
 * @param where the public name the user called
 * @throws ArgumentError if `config` is not plain JSON
 */
export async function checkpointFiles(where: string, checkpoint: Checkpoint): Promise<CheckpointFile[]> {
  const { kind, config, state, training } = requireNamed(where, checkpoint, 'checkpoint');
  requireText(where, 'checkpoint.kind', kind);
  requireObject(where, 'checkpoint.config', config);
  requireState(state);
  requireJson(where, config, 'config');
  const all = { ...prefixed('agent', state), ...prefixed('training', training ?? {}) };
  const { frozen, changing } = split(all);
  const files: NamedFile[] = [];
  for (const group of frozen) files.push(await frozenFile(where, group));
  files.push(await namedFile(where, 'state', changing));
  const records = files.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 }));
  const content: Manifest = { format: FORMAT, version: VERSION, kind, config, files: records };
  const seal = await sha256(where, [encode(content)]);
  const manifest = new TextEncoder().encode(`${JSON.stringify({ ...content, sha256: seal }, null, 2)}\n`);
  return [...files, { name: MANIFEST, bytes: manifest.length, parts: [manifest] }];
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

  const all: StateDict = {};
  for (const { name, bytes, sha256: hash } of manifest.files) {
    const content = await read(name);
    if (!content) return fail(`${name} is missing`);
    if (content.length !== bytes) fail(`${name} has ${content.length} bytes instead of ${bytes}, it is damaged`);
    if ((await sha256(where, [content])) !== hash) fail(`${name} is damaged, its SHA-256 does not fit`);
    Object.assign(all, arraysOf(name, content));
  }
  const training = substate(all, 'training');
  return {
    kind: manifest.kind,
    config: manifest.config,
    state: substate(all, 'agent'),
    ...(Object.keys(training).length && { training }),
  };
}

/** What {@link MANIFEST} holds. */
interface Manifest {
  format: string;
  version: number;
  kind: string;
  config: Checkpoint['config'];
  files: FileRecord[];
}

interface FileRecord {
  name: string;
  bytes: number;
  sha256: string;
}

type NamedFile = CheckpointFile & FileRecord;

const FORMAT = 'diffrl-checkpoint';
const VERSION = 2;

/** The frozen arrays, group by group of equal path, and the others. */
function split(state: StateDict): { frozen: StateDict[]; changing: StateDict } {
  const groups = new Map<string, StateDict>();
  const changing: StateDict = {};
  for (const [name, array] of Object.entries(state)) {
    if (!array.frozen) {
      changing[name] = array;
      continue;
    }
    const path = name.slice(0, name.lastIndexOf('/'));
    groups.set(path, { ...groups.get(path), [name]: array });
  }
  return { frozen: [...groups.values()], changing };
}

/** Files of frozen arrays by their first array: they are hashed once. */
const known = new WeakMap<StateArray, { group: StateDict; file: NamedFile }>();

async function frozenFile(where: string, group: StateDict): Promise<NamedFile> {
  const [first] = Object.values(group) as [StateArray];
  const found = known.get(first);
  if (found && isSameGroup(found.group, group)) return found.file;
  const file = await namedFile(where, 'rows', group);
  known.set(first, { group, file });
  return file;
}

function isSameGroup(a: StateDict, b: StateDict): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** A safetensors file that is named after its content. */
async function namedFile(where: string, prefix: 'state' | 'rows', state: StateDict): Promise<NamedFile> {
  const parts = safetensorsParts(state);
  const hash = await sha256(where, parts);
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  return { name: `${prefix}-${hash.slice(0, 16)}.safetensors`, bytes, sha256: hash, parts };
}

function arraysOf(file: string, content: Uint8Array): StateDict {
  const { state } = decodeSafetensors(content);
  if (!file.startsWith('rows-')) return state;
  return Object.fromEntries(Object.entries(state).map(([name, array]) => [name, { ...array, frozen: true }]));
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
