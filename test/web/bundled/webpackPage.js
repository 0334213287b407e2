import { trainInWorker } from './page.js';

globalThis.trained = trainInWorker(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }));
