import type { MjModel } from '@mujoco/mujoco';
import { ArgumentError, requireObject, requireText, show } from '../errors.js';
import { requireOptions } from '../options.js';
import type { MujocoEngine } from './engine.js';
import { MujocoModelError } from './errors.js';

/**
 * A model: MJCF text, or the text with the files it refers to (meshes, height fields, textures, includes). Files are
 * named by their path from the model's folder, such as `'meshes/hand.stl'` or `'../common/hand.stl'`.
 */
export type MujocoModel =
  | string
  | { readonly xml: string; readonly assets?: Readonly<Record<string, Uint8Array | string>> };

/** Where models lie in the engine's own file system while they are compiled. */
const ROOT = '/diffrl';

/** @throws ArgumentError for a file without a relative path, MujocoModelError if the model is not valid */
export function compileModel(engine: MujocoEngine, source: MujocoModel): MjModel {
  const { xml, assets = {} } = readSource(source);
  const files = Object.entries(assets).map(([name, content]) => ({ path: assetPath(name, content), content }));
  const folder = `${ROOT}${'/up'.repeat(Math.max(0, ...files.map(({ path }) => climbs(path))))}/model`;
  try {
    for (const { path, content } of files) writeFile(engine, resolve(folder, path), content);
    writeFile(engine, `${folder}/.model.xml`, xml);
    return engine.MjModel.from_xml_path(`${folder}/.model.xml`);
  } catch (cause) {
    const reason = message(cause).replaceAll(`${folder}/`, '');
    throw new MujocoModelError(`Simulation.create: ${explain(reason, Object.keys(assets))}`, { cause });
  } finally {
    removeTree(engine, ROOT);
  }
}

function readSource(source: MujocoModel): Exclude<MujocoModel, string> {
  const where = 'Simulation.create';
  if (typeof source === 'string') return { xml: source };
  const { xml, assets = {} } = requireOptions(where, source, { xml: true, assets: true });
  requireText(where, 'xml', xml);
  requireObject(where, 'assets', assets);
  return { xml, assets };
}

/** What MuJoCo says in an error. */
export function message(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.replace(/^MuJoCo Error: (Loading error: )?/, '').trim();
}

/** The compiler's reason, and what to do about it where it does not say so itself. */
export function explain(reason: string, assets: readonly string[] = []): string {
  if (/could not allocate|out of memory/i.test(reason)) {
    return (
      'the model reserves more memory than the engine can have, which is 2 GiB as it is a 32-bit program ' +
      `(${reason}). Lower memory="..." of the model's <size>, or njmax and nconmax in models written for MuJoCo 2.`
    );
  }
  return ['the model does not compile:', reason, ...advice(reason, assets)].join(' ');
}

function advice(reason: string, assets: readonly string[]): string[] {
  const missing = reason.match(/Error opening file '(.*?)'/)?.[1];
  if (missing !== undefined) return [missingFile(missing, assets)];
  if (reason.includes('no decoder found')) {
    return ['(MuJoCo reads meshes of the formats .obj, .stl and .msh; convert the file into one of them.)'];
  }
  if (reason.includes('unsupported content type')) {
    return ['(MuJoCo reads textures of the formats .png and .ktx; convert the file into one of them.)'];
  }
  if (/plugin .* not found/.test(reason)) {
    return ['(The WebAssembly build of MuJoCo has no engine plugins; leave out what needs it.)'];
  }
  return [];
}

function missingFile(name: string, assets: readonly string[]): string {
  const base = (path: string) => path.split('/').at(-1)!.toLowerCase();
  const alike = assets.filter((asset) => base(asset) === base(name));
  if (alike.length) return `(There is ${alike.map(show).join(', ')}, but files are told apart by path and case.)`;
  return "(It is not among the model's assets, where files have their path from the model's folder.)";
}

/** @throws ArgumentError unless `name` is a relative path and the content bytes or text */
function assetPath(name: string, content: unknown): string {
  if (typeof content !== 'string' && !(content instanceof Uint8Array)) {
    throw new ArgumentError(
      `Simulation.create: asset ${show(name)} must be a Uint8Array or text, got ${show(content)}.`,
    );
  }
  const path = name.replaceAll('\\', '/');
  if (path.split('/').at(-1) && !path.startsWith('/')) return path;
  throw new ArgumentError(
    `Simulation.create: assets are named by their path from the model's folder, such as 'meshes/hand.stl', got ${show(name)}.`,
  );
}

/** How many folders above its start a relative path gets. */
function climbs(path: string): number {
  let [depth, lowest] = [0, 0];
  for (const part of path.split('/').slice(0, -1)) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    lowest = Math.min(lowest, depth);
  }
  return -lowest;
}

function resolve(folder: string, path: string): string {
  const parts = folder.split('/');
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function writeFile({ FS }: MujocoEngine, path: string, content: Uint8Array | string): void {
  FS.mkdirTree(path.slice(0, path.lastIndexOf('/')), 0o777);
  FS.writeFile(path, content);
}

function removeTree(engine: MujocoEngine, path: string): void {
  const { FS } = engine;
  if (!FS.analyzePath(path, true).exists) return;
  for (const name of FS.readdir(path) as string[]) {
    const inner = `${path}/${name}`;
    if (name === '.' || name === '..') continue;
    if (FS.isDir(FS.stat(inner, true).mode)) removeTree(engine, inner);
    else FS.unlink(inner);
  }
  FS.rmdir(path);
}
