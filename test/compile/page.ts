import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-web/wasm';
import { fit } from './pageProgram.js';

ort.env.wasm.wasmPaths = '/ort/';
ort.env.wasm.numThreads = 1;

Object.assign(globalThis, {
  fit: async () => {
    await tf.setBackend('cpu');
    return fit({ runtime: ort });
  },
});
