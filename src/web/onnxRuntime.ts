import type { OnnxRuntime } from '../compile/runtime.js';
import { requireInteger } from '../errors.js';

/** `onnxruntime-web` as a module, as far as it is set up here. */
export interface OnnxRuntimeWeb extends OnnxRuntime {
  readonly env: { readonly wasm: { numThreads?: number; wasmPaths?: unknown } };
}

export interface RuntimeOptions {
  /** Where the runtime's files are, as the bundler says; default: where the runtime looks by itself. */
  paths?: { wasm: string; mjs?: string };
  /** Threads >= 1; default: one fewer than cores, up to four, so that the page keeps a core. Without cross-origin isolation there is always one. */
  threads?: number;
}

/**
 * Sets up `onnxruntime-web` and returns it. Threads need a page that is cross-origin isolated: served with the headers
 * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`.
 *
 * @example
 * ```ts
 * import * as ort from 'onnxruntime-web/wasm';
 * import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url'; // vite
 * import mjs from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
 *
 * const runtime = setUpRuntime(ort, { paths: { wasm, mjs } });
 * const agent = await DimeAgent.create({ env, compile: { runtime } });
 * ```
 */
export function setUpRuntime<Runtime extends OnnxRuntimeWeb>(
  runtime: Runtime,
  { paths, threads = sparingThreads() }: RuntimeOptions = {},
): Runtime {
  requireInteger('setUpRuntime', 'threads', threads, { min: 1 });
  const { wasm } = runtime.env;
  if (paths) wasm.wasmPaths = paths;
  wasm.numThreads = globalThis.crossOriginIsolated ? threads : 1;
  return runtime;
}

function sparingThreads(): number {
  const cores = globalThis.navigator?.hardwareConcurrency ?? 1;
  return Math.min(Math.max(cores - 1, 1), 4);
}
