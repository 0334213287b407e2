import { isolate } from './isolation.js';
import { App } from './ui/app.js';

if (!(await isolate())) {
  const app = new App();
  await app.start();
  Object.assign(globalThis, { playground: app });
}
