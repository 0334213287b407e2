import { MissingPackageError } from '../errors.js';

/**
 * A module of Node, without an import that bundlers for browsers would stumble over.
 *
 * @param where the public name the user called
 * @throws MissingPackageError outside Node (or another runtime with Node's modules)
 */
export function nodeModule<Name extends keyof NodeModules>(where: string, name: Name): NodeModules[Name] {
  const found = findNodeModule(name);
  if (found) return found;
  throw new MissingPackageError(
    `${where}: files need Node 20.16 or later (${name}). In a browser keep 'await agent.state()' yourself, for example encoded by encodeSafetensors.`,
  );
}

/** As {@link nodeModule}, `undefined` where there is none. */
export function findNodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] | undefined {
  return globalThis.process?.getBuiltinModule?.(name) as NodeModules[Name] | undefined;
}

export interface NodeModules {
  'node:child_process': typeof import('node:child_process');
  'node:crypto': typeof import('node:crypto');
  'node:fs': typeof import('node:fs');
  'node:fs/promises': typeof import('node:fs/promises');
  'node:http': typeof import('node:http');
  'node:net': typeof import('node:net');
  'node:os': typeof import('node:os');
  'node:path': typeof import('node:path');
  'node:url': typeof import('node:url');
  'node:worker_threads': typeof import('node:worker_threads');
}
