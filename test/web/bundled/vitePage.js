import mjs from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { trainInWorker } from './page.js';

globalThis.trained = trainInWorker(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }), {
  mjs,
  wasm,
});
