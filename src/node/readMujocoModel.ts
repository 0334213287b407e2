import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { ArgumentError, show } from '../errors.js';
import { requirePath } from '../files/fileErrors.js';
import type { MujocoModel } from '../mujoco/model.js';
import { requireOptions } from '../options.js';

/** Options of {@link readMujocoModel}. */
export interface ReadMujocoModelOptions {
  /**
   * The folder that nothing is read from outside of, links included; for models that you do not trust. By default a
   * model may refer to files in any folder.
   */
  root?: string;
}

/** No `ArrayBuffer` that the 32-bit engine could take is larger. */
const LARGEST = 2 ** 31;

/**
 * Reads an MJCF file together with the files it refers to: includes, attached models, meshes, height fields, textures
 * and skins, in its folder or in others (`../`). Files of the folder that the model does not mention are not read. A
 * file that is not there is reported by MuJoCo when the model is compiled.
 *
 * @param path an `.xml` file, or a folder that holds one such file (and any number in folders below)
 * @throws ArgumentError if there is no such file or folder, not exactly one model in the folder, a reference by an
 *   absolute path or to a file outside of `root`, or more than 2 GiB of files
 *
 * @example
 * ```ts
 * const model = await readMujocoModel('robots/gripper'); // gripper.xml, ../meshes/finger.stl ...
 * const env = await MujocoEnv.create({ model, frameSkip: 5, observe, evaluate });
 * ```
 */
export async function readMujocoModel(
  path: string,
  options: ReadMujocoModelOptions = {},
): Promise<Exclude<MujocoModel, string>> {
  requirePath('readMujocoModel', path);
  const { root } = requireOptions('readMujocoModel', options, { root: true });
  const file = await modelFile(path);
  const fence = await fenceOf(root);
  await fence.require(file, basename(file));
  const folder = dirname(file);
  const pages = await readPages(file, fence);
  const files = new Set([...pages.keys()].filter((page) => page !== file));
  const directories = ['', ...new Set([...pages.values()].flatMap(({ directories }) => directories))];
  for (const [page, { references }] of pages) {
    const folders = new Set([folder, dirname(page)].flatMap((base) => directories.map((name) => resolve(base, name))));
    for (const name of references) {
      for (const found of await fence.find(name, [...folders], `${basename(page)} refers to`)) files.add(found);
    }
  }
  files.delete(file);
  await requireRoom([...files]);
  const assets = [...files].map(
    async (asset) => [relative(folder, asset).split(sep).join('/'), await readFile(asset)] as const,
  );
  return { xml: await readFile(file, 'utf8'), assets: Object.fromEntries(await Promise.all(assets)) };
}

/** What an MJCF file mentions. */
interface Page {
  /** Other MJCF files. */
  readonly pages: readonly string[];
  readonly references: readonly string[];
  /** Folders that its `<compiler>` names for meshes and textures. */
  readonly directories: readonly string[];
}

/** The model's MJCF file and all that it includes or attaches. */
async function readPages(file: string, fence: Fence): Promise<Map<string, Page>> {
  const pages = new Map<string, Page>();
  const waiting = [file];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (pages.has(next)) continue;
    const page = readPage(await readFile(next, 'utf8'));
    pages.set(next, page);
    for (const name of page.pages) {
      waiting.push(...(await fence.find(name, [dirname(file), dirname(next)], `${basename(next)} includes`)));
    }
  }
  return pages;
}

const FILE = /\s(?:file(?:name|right|left|up|down|front|back)?)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const DIRECTORY = /\s(?:meshdir|texturedir|assetdir)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** Every attribute that names a file, of whatever element, so that no kind of asset is forgotten. */
function readPage(xml: string): Page {
  const elements = xml.replace(/<!--[\s\S]*?-->/g, '').match(/<[a-zA-Z](?:"[^"]*"|'[^']*'|[^>"'])*>/g) ?? [];
  const text = (isPage: boolean) => elements.filter((tag) => /^<(include|model)\b/.test(tag) === isPage).join('');
  const references = values(text(false), FILE);
  const stripped = /\sstrippath\s*=\s*["']true["']/.test(xml) || /<robot\b/.test(xml);
  return {
    pages: values(text(true), FILE),
    references: [...references, ...(stripped ? references.map((name) => basename(name)) : [])],
    directories: values(text(false), DIRECTORY),
  };
}

function values(text: string, attribute: RegExp): string[] {
  return Array.from(text.matchAll(attribute), ([, double, single]) => unescaped(double ?? single ?? '')).filter(
    Boolean,
  );
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name]!).replaceAll('\\', '/');
}

/** Finds files, and refuses those outside of a root. */
interface Fence {
  /** The file `name` in each of `folders` that has it. @throws ArgumentError if it lies outside */
  find(name: string, folders: readonly string[], who: string): Promise<string[]>;
  /** @throws ArgumentError if `file` lies outside, also by way of a link */
  require(file: string, name: string): Promise<void>;
}

async function fenceOf(root: string | undefined): Promise<Fence> {
  const inner = root === undefined ? undefined : await realpath(root).catch(() => undefined);
  if (root !== undefined && inner === undefined) {
    throw new ArgumentError(`readMujocoModel: root must be a folder, but there is none named ${show(root)}.`);
  }
  const refuse = (name: string): never => {
    throw new ArgumentError(
      `readMujocoModel: ${name} lies outside of the root ${show(root)}; give a root that holds it if you trust the model.`,
    );
  };
  const isInside = (file: string) => inner === undefined || !relative(inner, file).match(/^\.\.(?:[/\\]|$)|^[a-zA-Z]:/);
  const require = async (file: string, name: string) => {
    if (!isInside(await realpath(file))) refuse(name);
  };
  return {
    require,
    async find(name, folders, who) {
      if (isAbsolute(name)) {
        throw new ArgumentError(
          `readMujocoModel: ${who} ${show(name)}; refer to files by their path from the model's folder.`,
        );
      }
      const places = [...new Set(folders.map((folder) => join(folder, name)))];
      const found = (await Promise.all(places.map(isFile))).flatMap((there, i) => (there ? [places[i]!] : []));
      for (const file of found) await require(file, `${who} ${show(name)}, which`);
      return found;
    },
  };
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function requireRoom(files: readonly string[]): Promise<void> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total < LARGEST) return;
  const largest = files[sizes.indexOf(Math.max(...sizes))]!;
  throw new ArgumentError(
    `readMujocoModel: the model's files have ${(total / 2 ** 30).toFixed(1)} GiB, the largest ${show(largest)}; ` +
      'the engine is a 32-bit program and cannot have more than 2 GiB. Use smaller meshes and textures.',
  );
}

async function modelFile(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new ArgumentError(`readMujocoModel: there is no file or folder ${show(path)}.`);
  if (found.isFile()) return resolve(path);
  const models = (await readdir(path)).filter((name) => extname(name).toLowerCase() === '.xml');
  if (models.length === 1) return resolve(path, models[0]!);
  const held = models.length
    ? `holds ${models.map((name) => basename(name)).join(', ')}; name one of them`
    : 'holds none';
  throw new ArgumentError(`readMujocoModel: the folder must hold exactly one .xml file, but ${show(path)} ${held}.`);
}
