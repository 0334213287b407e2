import { existsSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ArgumentError, MissingPackageError } from '../errors.js';
import { nearest } from '../nearest.js';

/** Whether `name` is `path/to/module.ts#function` and not the name of something of the library. */
export function isModule(name: string): boolean {
  return /\.[cm]?[jt]s(#\w+)?$/.test(name);
}

/** The path absolute, so that a run can go on from any folder. */
export function absoluteModule(name: string): string {
  const [path, ...rest] = name.split('#');
  return [resolve(path as string), ...rest].join('#');
}

/**
 * The exported function that `path#name` names; `default` without a name.
 *
 * @throws ArgumentError if there is no such file or function; whatever the module throws
 */
export async function loadFunction(where: string, name: string): Promise<(argument: unknown) => unknown> {
  const [path, exported = 'default'] = name.split('#') as [string, string?];
  const file = resolve(path);
  if (!existsSync(file)) throw new ArgumentError(`${where}: there is no file '${file}' ('${name}').`);
  if (/^\.[cm]?ts$/.test(extname(file))) await readTypeScript(where, file);
  const module: Record<string, unknown> = await import(pathToFileURL(file).href);
  const found = module[exported];
  if (typeof found === 'function') return callable(found as (argument: unknown) => unknown);
  const functions = Object.keys(module).filter((key) => typeof module[key] === 'function');
  throw new ArgumentError(
    `${where}: '${file}' exports no function '${exported}'${nearest(exported, functions)}; it exports ${functions.join(', ') || 'none'}. Name one: ${path}#NAME.`,
  );
}

/** A class is called with `new`. */
function callable(found: (argument: unknown) => unknown): (argument: unknown) => unknown {
  const isClass = /^class\b/.test(Function.prototype.toString.call(found));
  return isClass ? (argument) => new (found as unknown as new (argument: unknown) => unknown)(argument) : found;
}

let reading: Promise<unknown> | undefined;

async function readTypeScript(where: string, file: string): Promise<void> {
  const isRunByTsx = process.execArgv.some((flag) => flag.includes('tsx')) || process.versions.bun;
  if (isRunByTsx || process.env.VITEST) return;
  const tsx = 'tsx/esm/api';
  reading ??= import(tsx).then(({ register }) => register());
  await reading.catch((cause) => {
    throw new MissingPackageError(
      `${where}: '${file}' is TypeScript, which needs the package tsx: npm install --save-dev tsx. Or compile it and name the JavaScript file.`,
      { cause },
    );
  });
}
