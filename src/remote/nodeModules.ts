import { MissingPackageError } from '../errors.js';
import { findNodeModule, type NodeModules } from '../files/nodeModules.js';

/**
 * A module of Node, without an import that bundlers for browsers would stumble over.
 *
 * @throws MissingPackageError outside Node
 */
export function nodeModule<Name extends keyof NodeModules>(where: string, name: Name): NodeModules[Name] {
  const found = findNodeModule(name);
  if (found) return found;
  throw new MissingPackageError(`${where}: this needs Node 20.16 or later (${name}). A page can use 'ws://' only.`);
}

/** Package `ws`, which pages do without. */
export async function webSocketPackage(): Promise<typeof import('ws')> {
  const name = 'ws'; // named by a variable, so that bundlers for browsers do not look for it
  return import(/* @vite-ignore */ /* webpackIgnore: true */ name);
}
