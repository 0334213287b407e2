import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, MissingPackageError } from '../errors.js';
import { quietBackend } from './quietBackend.js';
import { speedUpWasmMatMul } from './wasmMatMul.js';

/** What {@link useBestBackend} found. */
export interface BackendChoice {
  /** The name TensorFlow.js knows it by, such as `wasm`. */
  name: string;
  /** The package it comes from. */
  package: string;
  /** Packages that would have been better, and why they were not taken. */
  skipped: { package: string; reason: string }[];
}

/** Packages with a backend, best first. `tfjs-node*` works in Node only, webgpu and webgl in pages only. */
export const BACKEND_PACKAGES = [
  '@tensorflow/tfjs-node-gpu',
  '@tensorflow/tfjs-node',
  '@tensorflow/tfjs-backend-webgpu',
  '@tensorflow/tfjs-backend-wasm',
  '@tensorflow/tfjs-backend-webgl',
  '@tensorflow/tfjs-backend-cpu',
] as const;

/** One of {@link BACKEND_PACKAGES}. */
export type BackendPackage = (typeof BACKEND_PACKAGES)[number];

/**
 * Switches TensorFlow.js to the best installed backend that can train, which is tried with a small gradient; in Node, in
 * a page and in a worker. In a page wasm comes before webgl, which computes with half precision on many phones.
 * On wasm it also calls {@link speedUpWasmMatMul}.
 *
 * @param packages the packages to try, best first; all by default
 * @throws MissingPackageError if none works, with the reason for each
 *
 * @example
 * ```ts
 * const { name } = await useBestBackend();
 * console.log(`TensorFlow.js computes with ${name}.`);
 * ```
 */
export async function useBestBackend(packages: readonly BackendPackage[] = BACKEND_PACKAGES): Promise<BackendChoice> {
  const unknown = packages.find((name) => !BACKEND_PACKAGES.includes(name));
  if (unknown)
    throw new ArgumentError(`useBestBackend: packages may hold ${BACKEND_PACKAGES.join(', ')}, got ${unknown}.`);
  const previous = tf.engine().backendName;
  await import('@tensorflow/tfjs-layers'); // registers the gradients
  const skipped: BackendChoice['skipped'] = [];
  for (const name of packages) {
    const reason = await use(name).catch((error: Error) => error.message.split('\n')[0] as string);
    if (reason === undefined) return { name: BACKENDS[name].name, package: name, skipped };
    skipped.push({ package: name, reason });
  }
  if (previous) await tf.setBackend(previous);
  throw new MissingPackageError(
    [
      'useBestBackend: no backend of TensorFlow.js can train here. Install one: npm install @tensorflow/tfjs-backend-wasm',
      ...skipped.map((skip) => `  ${skip.package}: ${skip.reason}`),
    ].join('\n'),
  );
}

/**
 * Sees to it that TensorFlow.js has a backend: leaves a chosen or imported one alone, else switches to the best of
 * `packages` as {@link useBestBackend} does.
 */
export async function ensureBackend(packages?: readonly BackendPackage[]): Promise<void> {
  if (tf.engine().backendNames().length === 0) await useBestBackend(packages);
  else await tf.ready();
  quietBackend();
}

interface Backend {
  /** The name TensorFlow.js knows it by. */
  name: string;
  /** Where it can work, everywhere by default. */
  place?: 'Node' | 'a page';
  /** Imports the package; why it cannot be used, if it cannot. */
  load(): Promise<unknown>;
}

// Names are spelt out in each import, so that bundlers find what a page can use. One that fails is caught at once:
// bundlers then only warn of a package that is not installed.
const BACKENDS: Record<BackendPackage, Backend> = {
  '@tensorflow/tfjs-node-gpu': nodeBackend('@tensorflow/tfjs-node-gpu'),
  '@tensorflow/tfjs-node': nodeBackend('@tensorflow/tfjs-node'),
  '@tensorflow/tfjs-backend-webgpu': {
    name: 'webgpu',
    place: 'a page',
    load: () => import('@tensorflow/tfjs-backend-webgpu').catch(whyNot),
  },
  '@tensorflow/tfjs-backend-wasm': { name: 'wasm', load: () => import('@tensorflow/tfjs-backend-wasm').catch(whyNot) },
  '@tensorflow/tfjs-backend-webgl': {
    name: 'webgl',
    place: 'a page',
    load: () => import('@tensorflow/tfjs-backend-webgl').catch(whyNot),
  },
  '@tensorflow/tfjs-backend-cpu': { name: 'cpu', load: () => import('@tensorflow/tfjs-backend-cpu').catch(whyNot) },
};

function nodeBackend(name: BackendPackage): Backend {
  const load = () => import(/* webpackIgnore: true */ /* @vite-ignore */ name).catch(whyNot);
  return { name: 'tensorflow', place: 'Node', load };
}

/** Switches to a package's backend; returns or throws why that cannot be done. */
async function use(name: BackendPackage): Promise<string | undefined> {
  const { name: backend, place, load } = BACKENDS[name];
  if (place && place !== (isNode ? 'Node' : 'a page')) return `works in ${place} only`;
  const loaded = await load();
  if (typeof loaded === 'string') return loaded;
  if (!tf.findBackendFactory(backend)) {
    return 'belongs to another copy of @tensorflow/tfjs-core; look at npm ls @tensorflow/tfjs-core';
  }
  if (!(await tf.setBackend(backend))) return 'does not start on this machine';
  quietBackend();
  if (backend === 'wasm') speedUpWasmMatMul();
  return (await canTrain()) ? undefined : 'computes a wrong gradient';
}

const isNode = typeof process !== 'undefined' && process.versions?.node !== undefined;

/** Every runtime and bundler has words of its own for a package that is not there. */
function whyNot({ code, message }: NodeJS.ErrnoException): string {
  const isMissing = code ? /MODULE_NOT_FOUND$/.test(code) : /resolve|find module/i.test(message);
  return isMissing && /["'`]@tensorflow\/tfjs-/.test(message)
    ? 'not installed'
    : `cannot be loaded: ${message.split('\n')[0]}`;
}

/** The gradient of sum((x w)^2) at x = [[1, 2], [3, 4]], w = [[1], [-1]] is 2 x'(x w) = [[-8], [-12]]. */
async function canTrain(): Promise<boolean> {
  const gradient = tf.tidy(() => {
    const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    return tf.grad((w) => tf.sum(tf.square(tf.matMul(x, w as tf.Tensor2D))))(tf.tensor2d([1, -1], [2, 1]));
  });
  const [first, second] = await gradient.data();
  gradient.dispose();
  return first === -8 && second === -12;
}
