import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hasBrowser, runInPage, whyNot } from '../browser.js';
import { rollout } from './pageRollout.js';

describe.skipIf(!hasBrowser)(`in a page${whyNot}`, () => {
  it('a task does exactly what it does in Node, and looks the same', { timeout: 120_000 }, async () => {
    const engine = dirname(fileURLToPath(import.meta.resolve('@mujoco/mujoco')));
    const options = { external: ['module'] };
    const inPage = await runInPage<Awaited<ReturnType<typeof rollout>>>(
      new URL('page.ts', import.meta.url),
      engine,
      'rollout',
      options,
    );
    const inNode = await rollout();
    expect(inPage.observations).toEqual(inNode.observations);
    expect(inPage.rewards).toEqual(inNode.rewards);
    expect(inPage.svg).toBe(inNode.svg);
  });
});
