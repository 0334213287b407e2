import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll } from 'vitest';

fc.configureGlobal({ seed: 1 });

beforeAll(async () => {
  await tf.setBackend('cpu');
});
