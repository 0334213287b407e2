import { MissingPackageError } from '../errors.js';

interface NodeModules {
  'node:child_process': typeof import('node:child_process');
  'node:crypto': typeof import('node:crypto');
  'node:fs': typeof import('node:fs');
  'node:http': typeof import('node:http');
  'node:net': typeof import('node:net');
  'node:os': typeof import('node:os');
  'node:url': typeof import('node:url');
}

/**
 * A module of Node, without an import that bundlers for browsers would stumble over.
 *
 * @throws MissingPackageError outside Node
 */
export function nodeModule<Name extends keyof NodeModules>(where: string, name: Name): NodeModules[Name] {
  const found = globalThis.process?.getBuiltinModule?.(name);
  if (found) return found as NodeModules[Name];
  throw new MissingPackageError(`${where}: this needs Node 20.16 or later (${name}). A page can use 'ws://' only.`);
}

/** Package `ws`, which pages do without. */
export async function webSocketPackage(): Promise<typeof import('ws')> {
  const name = 'ws'; // named by a variable, so that bundlers for browsers do not look for it
  return import(/* @vite-ignore */ /* webpackIgnore: true */ name);
}
