import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const executablePath = [process.env.CHROMIUM_PATH ?? '', ...PLACES].find((path) => path && existsSync(path));

export const hasBrowser = executablePath !== undefined;
/** For the title of tests that are skipped without a browser. */
export const whyNot = hasBrowser ? '' : ` (skipped: no Chromium at ${PLACES.join(', ')} or CHROMIUM_PATH)`;

/**
 * Bundles `entry`, runs it in a page and returns what its function `name` gives there.
 *
 * @param entry a module that puts the function on `globalThis`
 * @param folder where the page's other files are, whatever folder it asks for
 */
export async function runInPage<T>(entry: URL, folder: string, name: string, options: BuildOptions = {}): Promise<T> {
  const bundle = await build({
    ...{ entryPoints: [fileURLToPath(entry)], bundle: true, format: 'esm', write: false, logLevel: 'error' },
    ...options,
  });
  const script = bundle.outputFiles![0]!.contents;
  const answer = async (url: string): Promise<[type: string, body: Uint8Array | string]> => {
    if (url === '/') return ['text/html', '<script type="module" src="/page.js"></script>'];
    if (url === '/page.js') return ['text/javascript', script];
    const type = url.endsWith('.wasm') ? 'application/wasm' : 'text/javascript';
    return [type, await readFile(`${folder}/${basename(url)}`)];
  };
  const server = createServer(async ({ url = '/' }, response) => {
    const [type, body] = await answer(url).catch(() => ['text/plain', ''] as const);
    response.writeHead(body.length ? 200 : 404, { 'content-type': type }).end(body);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction(`globalThis.${name}`);
    return await page.evaluate<T>(`${name}()`);
  } finally {
    await browser.close();
    await new Promise((resolve) => server.close(resolve));
  }
}
