import { isolate } from './isolation.js';
import { App } from './ui/app.js';

declare global {
  /** The page itself, for the console and for tests. */
  var playground: App;
}

if (!(await isolate())) {
  const app = new App();
  globalThis.playground = app;
  await app.start();
}
