import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fit } from './pageProgram.js';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = [process.env.CHROMIUM_PATH ?? '', ...PLACES].find((path) => path && existsSync(path));
const reason = executablePath ? '' : ` (skipped: no Chromium at ${PLACES.join(', ')} or CHROMIUM_PATH)`;

describe.skipIf(!executablePath)(`in a page${reason}`, () => {
  let server: Server;

  beforeAll(async () => {
    const entry = fileURLToPath(new URL('page.ts', import.meta.url));
    const bundle = await build({ entryPoints: [entry], bundle: true, format: 'esm', write: false, logLevel: 'error' });
    const script = bundle.outputFiles[0]!.contents;
    const runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-web/wasm'));
    server = createServer(async (request, response) => {
      const url = request.url ?? '/';
      const answer = async (): Promise<[string, Uint8Array | string]> => {
        if (url === '/page.js') return ['text/javascript', script];
        if (!url.startsWith('/ort/')) return ['text/html', '<script type="module" src="/page.js"></script>'];
        const type = url.endsWith('.wasm') ? 'application/wasm' : 'text/javascript';
        return [type, await readFile(join(runtime, basename(url)))];
      };
      const [type, body] = await answer();
      response.writeHead(200, { 'content-type': type }).end(body);
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  });

  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('onnxruntime-web trains as onnxruntime-node does', async () => {
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await page.waitForFunction('globalThis.fit');
      const inPage = await page.evaluate<Awaited<ReturnType<typeof fit>>>('fit()');
      const inNode = await fit({});
      expect(inNode.losses.at(-1)).toBeLessThan(0.5 * inNode.losses[0]!);
      inPage.losses.forEach((loss, i) => void expect(loss / inNode.losses[i]!).toBeCloseTo(1, 4));
      expect(inPage.weight).toBeCloseTo(inNode.weight, 4);
    } finally {
      await browser.close();
      tf.disposeVariables();
    }
  });
});
