import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { ArgumentError, show } from '../errors.js';
import type { MujocoModel } from '../mujoco/simulation.js';

/** Kinds of files that MuJoCo reads: models and parts of them, meshes, height fields, skins and textures. */
const ASSETS = ['.xml', '.obj', '.stl', '.msh', '.skn', '.bin', '.png', '.ktx'];

/**
 * Reads an MJCF file together with the files it may refer to: meshes, height fields, textures and includes in its
 * folder and in those below. Files elsewhere have to be added to `assets` under the name that the model has for them.
 *
 * @param path an `.xml` file, or a folder that holds one such file (and any number in folders below)
 * @throws ArgumentError if there is no such file or folder, or not exactly one model in the folder
 *
 * @example
 * ```ts
 * const model = await readMujocoModel('robots/gripper'); // gripper.xml, meshes/finger.stl ...
 * const env = await MujocoEnv.create({ model, frameSkip: 5, observe, evaluate });
 * ```
 */
export async function readMujocoModel(path: string): Promise<Exclude<MujocoModel, string>> {
  const file = await modelFile(path);
  const folder = dirname(file);
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const others = names
    .filter((entry) => entry.isFile() && ASSETS.includes(extname(entry.name).toLowerCase()))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((other) => other !== file);
  const assets = await Promise.all(
    others.map(async (other) => [relative(folder, other).split(sep).join('/'), await readFile(other)] as const),
  );
  return { xml: await readFile(file, 'utf8'), assets: Object.fromEntries(assets) };
}

async function modelFile(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new ArgumentError(`readMujocoModel: there is no file or folder ${show(path)}.`);
  if (found.isFile()) return join(path);
  const models = (await readdir(path)).filter((name) => extname(name).toLowerCase() === '.xml');
  if (models.length === 1) return join(path, models[0]!);
  const held = models.length
    ? `holds ${models.map((name) => basename(name)).join(', ')}; name one of them`
    : 'holds none';
  throw new ArgumentError(`readMujocoModel: the folder must hold exactly one .xml file, but ${show(path)} ${held}.`);
}
