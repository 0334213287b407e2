import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { executablePath } from '../browser.js';
import { serveFolder } from './serve.js';

const root = fileURLToPath(new URL('../../playground', import.meta.url));

/** Builds the playground, serves it as a plain host does, and starts a browser for it. */
export async function openPlayground() {
  const folder = await mkdtemp(join(tmpdir(), 'playground-dist-'));
  await build({
    root,
    configFile: join(root, 'vite.config.ts'),
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true },
  });
  const host = await serveFolder(folder);
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'],
  });
  const close = async () => {
    await browser.close();
    await host.close();
    await rm(folder, { recursive: true });
  };
  return { folder, browser, url: host.url, loaded: host.loaded, close };
}
