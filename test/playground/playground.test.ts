import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasBrowser, whyNot } from '../browser.js';
import { openPlayground } from './open.js';
import { longestTask, ticks } from './ticks.js';

/** Where the pictures that the test takes are kept. */
const pictures = process.env.PLAYGROUND_PICTURES ?? (await mkdtemp(join(tmpdir(), 'playground-')));

let playground: Awaited<ReturnType<typeof openPlayground>>;
const complaints: string[] = [];

interface Look {
  width: number;
  height: number;
  dark: boolean;
  touch?: boolean;
}

async function open(hash: string, { width, height, dark, touch = false }: Look): Promise<Page> {
  const page = await playground.browser.newPage({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    hasTouch: touch,
    isMobile: touch,
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // Chromium's own remarks on drawing without a graphics card.
    if (['error', 'warning'].includes(message.type()) && !/GPU|GL Driver|WebGL|software/i.test(message.text())) {
      complaints.push(message.text());
    }
  });
  await page.goto(playground.url + hash);
  return page;
}

const textOf = (page: Page, id: string) => page.evaluate((id) => document.getElementById(id)!.textContent, id);

/** Waits until an expression is true in the page, however little of the machine the page gets. */
async function until(page: Page, expression: string, seconds: number): Promise<void> {
  await page.waitForFunction(expression, undefined, { timeout: 1000 * seconds, polling: 100 });
}

/** A finger with the buttons of Playwright's mouse. */
async function finger(page: Page): Promise<Pick<Page['mouse'], 'move' | 'down' | 'up'>> {
  const session = await page.context().newCDPSession(page);
  let place = { x: 0, y: 0 };
  let isDown = false;
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', touchPoints = [place]) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints }).then(() => undefined);
  return {
    async move(x, y) {
      place = { x, y };
      if (isDown) await touch('touchMove');
    },
    async down() {
      isDown = true;
      await touch('touchStart');
    },
    async up() {
      isDown = false;
      await touch('touchEnd', []);
    },
  };
}

describe.skipIf(!hasBrowser)(`the playground${whyNot}`, () => {
  beforeAll(async () => {
    playground = await openPlayground();
  }, 60_000);
  afterAll(() => playground?.close());

  it('moves, learns, stays free, is saved and loaded', { timeout: 200_000 }, async () => {
    const page = await open('', { width: 1280, height: 800, dark: true });
    const moved = await page.waitForFunction('globalThis.playground?.moved', undefined, { timeout: 60_000 });
    console.info(`first movement ${Math.round(Number(await moved.jsonValue()))} ms after the page began to load`);
    expect(await page.evaluate('crossOriginIsolated')).toBe(true);
    const scripts = [...playground.loaded].filter((file) => /\.m?js$/.test(file));
    const sizes = await Promise.all(
      scripts.map(async (file) => gzipSync(await readFile(playground.folder + file)).length),
    );
    const kilobytes = sizes.reduce((a, b) => a + b, 0) / 1024;
    console.info(`${kilobytes.toFixed(0)} KB of scripts, gzip`);
    expect(kilobytes).toBeLessThan(500);

    const start = Date.now();
    let training = { share: 0, longest: 0 };
    const task = await longestTask(page, async () => {
      training = await ticks(page, 8000);
    });
    const percent = (value: number) => `${Math.round(100 * value)} %`;
    console.info(
      `${percent(training.share)} of the 60 Hz ticks got through while it trains; longest gap ${Math.round(training.longest)} ms, ` +
        `longest task of the page ${task.toFixed(1)} ms of processor time`,
    );
    expect(training.share).toBeGreaterThan(0); // none got through when training ran in the page itself
    expect(task).toBeLessThan(100); // what the page itself could hold up a frame by

    await until(page, 'globalThis.playground.best >= 500', 100);
    console.info(
      `a return of ${await page.evaluate('globalThis.playground.best')} after ${await textOf(page, 'steps')} steps and ` +
        `${Math.round((Date.now() - start) / 1000)} s`,
    );
    await page.screenshot({ path: join(pictures, 'dark.png'), timeout: 30_000 });

    await page.click('#play');
    console.info(`${percent((await ticks(page, 3000)).share)} of the ticks while it is paused`);
    const act = () =>
      page.evaluate(async () => {
        const { trainer } = globalThis.playground;
        return Array.from(await trainer.act(Float32Array.of(0, 0.02, 0, 0), { explore: false }));
      });
    const before = await act();
    await page.click('#save');
    await until(page, "document.getElementById('toast').textContent.startsWith('Saved')", 20);
    await page.evaluate('globalThis.playground.restart({})');
    await page.evaluate('globalThis.playground.go(false)');
    await page.click('#load');
    await until(page, "document.getElementById('toast').textContent === 'Loaded.'", 20);
    expect(await act()).toEqual(before);

    await page.close();
  });

  it.each<[string, boolean]>([
    ['the mouse', false],
    ['a finger, on a phone', true],
  ])('a drag with %s moves the body under it', { timeout: 60_000 }, async (_, touch) => {
    const size = touch ? { width: 390, height: 844 } : { width: 900, height: 700 };
    const page = await open('#HalfCheetah-v5/DIME', { ...size, dark: true, touch });
    await page.waitForFunction('globalThis.playground?.moved', undefined, { timeout: 30_000 });
    await page.evaluate('globalThis.playground.go(false)');
    await page.waitForTimeout(1500);
    const height = () =>
      page.evaluate(async () => {
        const { trainer, scene } = globalThis.playground;
        const torso = scene!.parts.findIndex(({ name }) => name === 'torso');
        return (await trainer.call('recall', 1e6))![7 * torso + 2]!;
      });
    const { x, y } = await page.evaluate(() => globalThis.playground.placeOf('torso'));
    const before = await height();
    const pointer = touch ? await finger(page) : page.mouse;
    await pointer.move(x, y);
    await pointer.down();
    await pointer.move(x, y - 60, { steps: 4 });
    await pointer.move(x, y - 140, { steps: 4 });
    await page.waitForTimeout(500);
    await page.evaluate('globalThis.playground.trainer.step(8)');
    const rise = (await height()) - before;
    expect(await page.evaluate('scrollY')).toBe(0);
    await pointer.up();
    console.info(`pulled up, the torso rose by ${rise.toFixed(2)} m in eight steps`);
    expect(rise).toBeGreaterThan(0.15);
    await page.close();
  });

  it.each<[string, string, Look]>([
    ['light, four goals', '#MultiGoal/DIME', { width: 1280, height: 800, dark: false }],
    ['a phone, a cheetah', '#HalfCheetah-v5/SDAC', { width: 390, height: 844, dark: true, touch: true }],
  ])('looks as it should: %s', { timeout: 60_000 }, async (name, hash, options) => {
    const page = await open(hash, options);
    await until(page, "document.getElementById('steps').textContent !== '0'", 40);
    await page.waitForTimeout(4000);
    await page.evaluate('globalThis.playground.go(false)');
    await until(page, "document.getElementById('facts').childElementCount > 0", 20);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(wide).toBeLessThanOrEqual(0);
    await page.screenshot({ path: join(pictures, `${name.split(',')[0]!.replace(/\W+/g, '-')}.png`), timeout: 30_000 });
    await page.close();
  });

  it('complained of nothing', () => {
    expect(complaints).toEqual([]);
  });
});
