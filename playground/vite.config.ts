import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const source = (path: string) => fileURLToPath(new URL(`../src/${path}`, import.meta.url));

/** What threads need: without these headers the page runs on one. Hosts that cannot send them get `public/isolate.js`. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  base: './', // any host, any folder
  resolve: {
    dedupe: ['long'], // TensorFlow.js and protobufjs bring one each
    alias: [
      { find: /^diffrl$/, replacement: source('index.ts') },
      { find: /^diffrl\/(\w+)$/, replacement: source('$1/index.ts') },
    ],
  },
  worker: { format: 'es' },
  server: { headers: isolation },
  preview: { headers: isolation },
  build: { target: 'es2022', chunkSizeWarningLimit: 1000, assetsInlineLimit: 0 },
});
