/**
 * How fast the playground comes up and learns, and how free it leaves the page while it does: built, served by a plain host
 * and opened in headless Chromium, once for each round.
 *
 *     npx tsx bench/playground.ts [--rounds 2]
 *
 * Without a graphics card a processor draws the scene, beside the page and the training, and other work on the machine takes
 * its part. Therefore ticks are counted while it trains and while it is paused, in turn, and the longest task of the page's
 * own thread is given as time on the processor, which others do not lengthen.
 */
import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { openPlayground } from '../test/playground/open.js';
import { longestTask, ticks } from '../test/playground/ticks.js';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '2' } } });
const percent = (share: number) => `${Math.round(100 * share)} %`;
const load = () => loadavg()[0]!.toFixed(1);

async function round(page: Page, url: string): Promise<string[]> {
  await page.goto(url);
  const moved = await page.waitForFunction('globalThis.playground?.moved', undefined, { timeout: 60_000 });
  const start = Date.now();
  await page.waitForFunction('globalThis.playground.best >= 1000', undefined, { timeout: 400_000, polling: 100 });
  const seconds = (Date.now() - start) / 1000;
  const steps = await page.textContent('#steps');
  const training = { share: 0, longest: 0, task: 0 };
  const paused = { ...training };
  const PARTS = 4;
  for (let i = 0; i < PARTS; i++) {
    for (const [state, running] of [
      [training, true],
      [paused, false],
    ] as const) {
      await page.evaluate(`globalThis.playground.go(${running})`);
      await page.waitForTimeout(300);
      let counted = { share: 0, longest: 0 };
      const task = await longestTask(page, async () => {
        counted = await ticks(page, 3000);
      });
      state.share += counted.share / PARTS;
      state.longest = Math.max(state.longest, counted.longest);
      state.task = Math.max(state.task, task);
    }
  }
  const of = ({ share, longest, task }: typeof training) =>
    `${percent(share)} of 60 Hz ticks, longest gap ${longest.toFixed(0)} ms, longest task ${task.toFixed(0)} ms of processor time`;
  return [
    `first movement ${Math.round(Number(await moved.jsonValue()))} ms after the page began to load`,
    `InvertedPendulum-v5: an episode of 1000 after ${seconds.toFixed(1)} s and ${steps} steps`,
    `while it trains: ${of(training)}`,
    `while it is paused: ${of(paused)}`,
  ];
}

const playground = await openPlayground();
try {
  for (let i = 0; i < Number(values.rounds); i++) {
    const before = load();
    const context = await playground.browser.newContext({ viewport: { width: 1280, height: 800 } });
    const lines = await round(await context.newPage(), playground.url);
    await context.close();
    console.log([`round ${i + 1}, load ${before} before and ${load()} after`, ...lines].join('\n  '));
  }
  const scripts = [...playground.loaded].filter((file) => /\.m?js$/.test(file));
  const sizes = await Promise.all(
    scripts.map(async (file) => gzipSync(await readFile(playground.folder + file)).length),
  );
  scripts.forEach((file, i) => void console.log(`  ${file}: ${(sizes[i]! / 1024).toFixed(0)} KB`));
  console.log(`${(sizes.reduce((a, b) => a + b, 0) / 1024).toFixed(0)} KB of scripts, gzip`);
} finally {
  await playground.close();
}
