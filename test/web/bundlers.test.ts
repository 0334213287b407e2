import { cpSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild } from 'esbuild';
import { chromium } from 'playwright-core';
import { build as vite } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import webpack from 'webpack';
import { executablePath, hasBrowser, whyNot } from '../browser.js';
import { serveFolder } from '../playground/serve.js';
import type { trainInWorker } from './bundled/page.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A folder with the library as it is published, file by file, and a page and a worker that use it. */
let folder: string;
const alias = () => ({
  'diffrl/web': join(folder, 'diffrl/web/index.js'),
  diffrl: join(folder, 'diffrl/index.js'),
});

beforeAll(async () => {
  folder = await mkdtemp(join(root, 'node_modules/.bundled-'));
  const transform = (entry: string, outdir: string) =>
    esbuild({ entryPoints: [entry], outdir, bundle: false, format: 'esm', target: 'es2022', logLevel: 'error' });
  await transform(join(root, 'src/**/*.ts'), join(folder, 'diffrl'));
  await transform(join(root, 'test/web/bundled/*.ts'), folder);
  cpSync(join(root, 'test/web/bundled'), folder, { recursive: true, filter: (path) => !path.endsWith('.ts') });
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the library in a page, put together by', () => {
  it.skipIf(!hasBrowser)(`vite: trains in a worker, keeps checkpoints${whyNot}`, { timeout: 90_000 }, async () => {
    const outDir = join(folder, 'vite');
    await writeFile(join(folder, 'index.html'), '<script type="module" src="./vitePage.js"></script>');
    await vite({
      root: folder,
      base: './',
      logLevel: 'error',
      resolve: { alias: alias() },
      worker: { format: 'es' },
      build: { outDir, minify: true },
    });
    const host = await serveFolder(outDir);
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      await page.goto(host.url);
      await page.waitForFunction('globalThis.trained');
      const result = await page.evaluate<Awaited<ReturnType<typeof trainInWorker>>>('trained');
      expect(result).toMatchObject({ step: 40, episodes: 2, kind: 'DimeAgent' });
      expect(result.metrics.criticLoss).toBeGreaterThan(0);
      expect(result.actions.every((action) => Math.abs(action) <= 2)).toBe(true);
      expect(['webgpu', 'wasm', 'webgl', 'cpu']).toContain(result.backend);
    } finally {
      await browser.close();
      await host.close();
    }
  });

  it('esbuild', async () => {
    const { warnings } = await esbuild({
      entryPoints: [join(folder, 'page.js'), join(folder, 'worker.js')],
      outdir: join(folder, 'esbuild'),
      bundle: true,
      format: 'esm',
      minify: true,
      alias: alias(),
      external: ['module'],
      logLevel: 'silent',
    });
    expect(warnings.map(({ text }) => text)).toEqual([]);
  });

  it('webpack', { timeout: 90_000 }, async () => {
    const path = join(folder, 'webpack');
    const stats = await new Promise<webpack.Stats>((resolve, reject) => {
      webpack(
        {
          mode: 'development',
          devtool: false,
          context: folder,
          entry: './webpackPage.js',
          output: { path },
          resolve: { alias: alias(), fallback: { module: false } },
        },
        (error, result) => (error ? reject(error) : resolve(result!)),
      );
    });
    expect(stats.compilation.errors.map(({ message }) => message)).toEqual([]);
    expect((await readdir(path)).some((name) => name.endsWith('.wasm'))).toBe(true);
  });
});
