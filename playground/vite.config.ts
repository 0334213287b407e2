import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const source = (path: string) => fileURLToPath(new URL(`../src/${path}`, import.meta.url));

/** What threads need: without these headers the page runs on one. Hosts that cannot send them get `public/isolate.js`. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Stands once in the worker's script, where hundreds of modules say it each: 8 KB less to load. */
const LICENSES = `/*! Holds parts of TensorFlow.js (Apache-2.0, Google LLC), MuJoCo (Apache-2.0, Google DeepMind), ONNX Runtime (MIT,
Microsoft), fflate and seedrandom (MIT), protobufjs (BSD-3-Clause) and long (Apache-2.0, Google Inc. and Daniel Wirtz).
Apache-2.0: https://www.apache.org/licenses/LICENSE-2.0 */`;

export default defineConfig({
  base: './', // any host, any folder
  resolve: {
    dedupe: ['long'], // TensorFlow.js and protobufjs bring one each
    alias: [
      { find: /^diffrl$/, replacement: source('index.ts') },
      { find: /^diffrl\/(\w+)$/, replacement: source('$1/index.ts') },
    ],
  },
  worker: { format: 'es', rolldownOptions: { output: { comments: { legal: false }, postBanner: LICENSES } } },
  server: { headers: isolation },
  preview: { headers: isolation },
  build: { target: 'es2022', chunkSizeWarningLimit: 1000, assetsInlineLimit: 0 },
});
