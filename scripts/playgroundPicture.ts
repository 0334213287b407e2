/**
 * Draws README's picture of the playground: DIME learns to balance a pole in headless Chromium, until three episodes in a row
 * were full, and the page is photographed with the policy under the microscope.
 *
 *     npx tsx scripts/playgroundPicture.ts [docs/images/playground.jpg]
 */
import { writeFile } from 'node:fs/promises';
import { openPlayground } from '../test/playground/open.js';

const [file = 'docs/images/playground.jpg'] = process.argv.slice(2);
const playground = await openPlayground();

/** Without a graphics card a processor draws: seldom, so that training goes on, but with nothing left out. */
function drawSeldomInFull(): void {
  const request = globalThis.requestAnimationFrame;
  globalThis.requestAnimationFrame = (callback) => Number(setTimeout(() => request(callback), 300));
  const { prototype } = WebGL2RenderingContext;
  prototype.fenceSync = () => null as unknown as WebGLSync;
  const { getParameter } = prototype;
  prototype.getParameter = function (name) {
    const value = getParameter.call(this, name);
    return typeof value === 'string' ? value.replace(/swiftshader|llvmpipe/i, '') : value;
  };
}

try {
  const page = await playground.browser.newPage({
    viewport: { width: 1280, height: 760 },
    deviceScaleFactor: 1.5,
    colorScheme: 'dark',
  });
  await page.addInitScript(drawSeldomInFull);
  await page.goto(playground.url);
  await page.waitForFunction("document.getElementById('return').textContent === '1000'", undefined, {
    timeout: 400_000,
    polling: 500,
  });
  await page.waitForTimeout(4000); // into the next episode
  await writeFile(file, await page.screenshot({ type: 'jpeg', quality: 86, timeout: 60_000 }));
  console.log(`${file}: after ${await page.textContent('#steps')} steps`);
} finally {
  await playground.close();
}
