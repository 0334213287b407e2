import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that this file is in, however it was built. */
export const here = typeof __dirname === 'string' ? __dirname : dirname(fileURLToPath(import.meta.url));

/** Versions of this package, of Node and of the packages that decide what a run computes. */
export function versions(): Record<string, string> {
  const require = createRequire(join(here, 'index.js'));
  const found = PACKAGES.flatMap((name) => {
    const version = versionOf(require, name);
    return version ? [[name, version]] : [];
  });
  return { diffrl: ownVersion(here), node: process.versions.node, ...Object.fromEntries(found) };
}

const PACKAGES = [
  '@tensorflow/tfjs-core',
  'onnxruntime-node',
  '@tensorflow/tfjs-node',
  '@tensorflow/tfjs-backend-wasm',
  '@mujoco/mujoco',
];

/** Packages that do not export their package.json are found by its path. */
function versionOf(require: NodeJS.Require, name: string): string | undefined {
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')).version;
    } catch {}
  }
  return undefined;
}

function ownVersion(folder: string): string {
  try {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    if (name === 'diffrl') return version;
  } catch {}
  return dirname(folder) === folder ? 'unknown' : ownVersion(dirname(folder));
}
